package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Generation;
import io.carom.dma.core.protocol.Parts.Stripe;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The actors of one step at a time. */
final class Others {
  private Others() {}

  /** Abandons stripes whose holder hangs in the strategy. Stands for {@code Watchdog}. */
  static final class Watchdog extends Actor {
    private final List<Mapper> mappers;

    Watchdog(final World world, final List<Mapper> mappers) {
      super(world, "watchdog");
      this.mappers = mappers;
    }

    private @Nullable Stripe hung() {
      for (final Generation generation : world.generations) {
        for (final Stripe stripe : generation.pool.stripes) {
          if (!stripe.abandoned
              && stripe.owner instanceof Mapper mapper
              && mappers.contains(mapper)
              && mapper.hung) {
            return stripe;
          }
        }
      }
      return null;
    }

    @Override
    boolean enabled() {
      return hung() != null;
    }

    @Override
    void step() {
      Objects.requireNonNull(hung()).abandoned = true;
    }

    @Override
    boolean done() {
      return true; // nobody waits for it
    }

    @Override
    String where() {
      return name;
    }
  }

  /** Wants a swap to be taken back, now and then. */
  static final class Canceller extends Actor {
    private int left;

    Canceller(final World world, final int times) {
      super(world, "canceller");
      left = times;
    }

    @Override
    boolean enabled() {
      return left > 0;
    }

    @Override
    void step() {
      if (world.random.nextInt(50) == 0) {
        world.cancelWanted = true;
        left--;
      }
    }

    @Override
    boolean done() {
      return true;
    }

    @Override
    String where() {
      return name;
    }
  }
}
