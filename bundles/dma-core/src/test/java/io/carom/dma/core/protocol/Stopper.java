package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Generation;
import io.carom.dma.core.protocol.Parts.State;
import io.carom.dma.core.protocol.Parts.Stripe;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The service of the current strategy goes, at any time. Stands for {@code Swapper.abandon} and
 * {@code Pool.endStrategy}.
 */
final class Stopper extends Actor {
  private enum At {
    BEGIN,
    STATES,
    PUBLISH,
    GRACE,
    DISABLE,
    END_GRACE,
    FLOW,
    DONE
  }

  private At at = At.BEGIN;
  private @Nullable Generation from;
  private @Nullable Generation to;
  private @Nullable Extents moving;
  private int stripe;

  Stopper(final World world) {
    super(world, "stopper");
  }

  @Override
  boolean done() {
    return at == At.DONE;
  }

  @Override
  String where() {
    return name + " " + at + " of " + from + " to " + to;
  }

  @Override
  boolean enabled() {
    return switch (at) {
      case BEGIN -> !world.structure;
      case GRACE, END_GRACE -> {
        final Stripe next = from().pool.stripes[stripe];
        yield next.free() || next.abandoned;
      }
      case FLOW -> moving().done() || moving().enabled();
      case DONE -> false;
      default -> true;
    };
  }

  private Generation from() {
    return Objects.requireNonNull(from);
  }

  private Extents moving() {
    return Objects.requireNonNull(moving);
  }

  @Override
  void step() {
    switch (at) {
      case BEGIN -> {
        world.structure = true;
        from = world.current;
        to = world.generation();
        Objects.requireNonNull(to).state = State.CURRENT;
        at = At.STATES;
      }
      case STATES -> {
        from().state = State.DRAINING;
        at = At.PUBLISH;
      }
      case PUBLISH -> {
        final Generation next = Objects.requireNonNull(to);
        world.current = next;
        next.pool.users++;
        from().pool.users--;
        from().state = State.ADOPTED;
        at = At.GRACE;
      }
      case GRACE -> {
        next(At.DISABLE);
        from().graced = at == At.DISABLE;
      }
      case DISABLE -> {
        from().pool.callable = false;
        at = flawed(Flaw.NO_END_GRACE) ? At.FLOW : At.END_GRACE;
        ends();
      }
      case END_GRACE -> {
        next(At.FLOW);
        ends();
      }
      case FLOW -> {
        if (moving().done()) {
          moving().end();
          at = At.DONE;
        } else {
          moving().step();
        }
      }
      case DONE -> throw new IllegalStateException(where());
    }
  }

  /** The bundle has stopped; what it had goes on. */
  private void ends() {
    if (at == At.FLOW) {
      from().pool.ended = true;
      world.structure = false;
      moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
    }
  }

  private void next(final At after) {
    stripe++;
    if (stripe == Parts.STRIPES) {
      stripe = 0;
      at = after;
    }
  }
}
