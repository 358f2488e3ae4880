package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Extent;
import io.carom.dma.core.protocol.Parts.Generation;
import io.carom.dma.core.protocol.Parts.RecordState;
import io.carom.dma.core.protocol.Parts.Slot;
import io.carom.dma.core.protocol.Parts.State;
import io.carom.dma.core.protocol.Parts.Stripe;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A driver's thread: maps, holds, unmaps, some times over. Stands for {@code Mapper}, {@code
 * Placer} and {@code Unmapper}.
 */
final class Mapper extends Actor {
  private enum At {
    CURRENT,
    LOCK,
    DECIDE,
    ALLOCATE,
    PUBLISH,
    COUNT,
    UNLOCK,
    LATE_COUNT,
    COPY_IN,
    HOLD,
    CLAIM,
    COPY_OUT,
    HOME,
    LOCK_HOME,
    FREE,
    CALLABLE,
    RELEASE,
    UNLOCK_HOME,
    LATE_COPY,
    ARRIVAL,
    DONE
  }

  private final boolean hangs;
  private int rounds;
  private At at = At.CURRENT;
  private Generation generation;
  private @Nullable Generation lender;
  private int tried;
  private @Nullable Stripe stripe;
  private @Nullable Extent extent;
  private @Nullable Slot slot;
  private int tag;
  private boolean claimed;
  private int arrivals;

  /** Whether it is in the strategy's code and does not return until its stripe is abandoned. */
  boolean hung;

  Mapper(final World world, final int number, final int rounds, final boolean hangs) {
    super(world, "mapper " + number);
    this.rounds = rounds;
    this.hangs = hangs;
    generation = world.current;
  }

  @Override
  boolean done() {
    return at == At.DONE;
  }

  @Override
  String where() {
    return name + " " + at + (hung ? " (hung)" : "");
  }

  @Override
  boolean enabled() {
    return switch (at) {
      case LOCK -> next().free() || next().abandoned;
      case LOCK_HOME -> home().free() || home().abandoned;
      case ALLOCATE -> !hung || home().abandoned;
      case ARRIVAL ->
          generation.pool.expecting == 0
              || generation.pool.arrivals != arrivals
              || world.current != generation;
      case DONE -> false;
      default -> true;
    };
  }

  private Stripe home() {
    return Objects.requireNonNull(stripe);
  }

  private Slot slot() {
    return Objects.requireNonNull(slot);
  }

  private Generation from() {
    final Generation lent = lender;
    return lent == null ? generation : lent;
  }

  private Stripe next() {
    return from().pool.stripes[(tried + tag) % Parts.STRIPES];
  }

  @Override
  void step() {
    switch (at) {
      case CURRENT -> {
        generation = world.current;
        arrivals = generation.pool.arrivals;
        lender = null;
        tried = 0;
        tag = ++world.lastTag;
        at = At.LOCK;
      }
      case LOCK -> takeStripe();
      case DECIDE -> decide();
      case ALLOCATE -> allocate();
      case PUBLISH -> publish();
      case COUNT -> {
        from().live[home().index]++;
        at = At.UNLOCK;
      }
      case UNLOCK -> {
        unlock(home());
        at = flawed(Flaw.COUNT_AFTER_UNLOCK) ? At.LATE_COUNT : At.COPY_IN;
      }
      case LATE_COUNT -> {
        from().live[home().index]++;
        at = At.COPY_IN;
      }
      case COPY_IN -> {
        slot().content = tag;
        at = At.HOLD;
      }
      case ARRIVAL -> {
        if (world.current == generation && generation.pool.arrivals == arrivals) {
          world.failed();
        }
        at = At.CURRENT; // again, by the core or by the driver
      }
      case HOLD -> {
        if (world.random.nextInt(8) == 0) {
          claimed = world.random.nextBoolean(); // what the device wrote is copied out, or nothing
          at = claimed ? At.CLAIM : At.HOME;
        }
      }
      default -> unmap();
    }
  }

  private void takeStripe() {
    final Stripe wanted = next();
    if (wanted.abandoned) {
      nextStripe();
      return;
    }
    lock(wanted);
    stripe = wanted;
    at = At.DECIDE;
  }

  /** Placer.decide: the lock is held. */
  private void decide() {
    final boolean lent = lender != null;
    final boolean stays =
        lent
            ? from().state == State.DRAINING || flawed(Flaw.NO_LENDER_CHECK)
            : world.current == generation || flawed(Flaw.NO_RECHECK);
    if (home().abandoned || !home().pool.callable || !stays) {
      unlock(home());
      if (home().abandoned) {
        nextStripe();
      } else if (world.current != generation) {
        at = At.CURRENT;
      } else {
        failed();
      }
      return;
    }
    hung = hangs && world.random.nextInt(3) == 0;
    at = At.ALLOCATE;
  }

  /** The strategy's code. */
  private void allocate() {
    hung = false;
    World.inside(home());
    slot = null;
    for (final Extent each : world.extents) {
      if (each.home == home()) {
        for (final Slot free : each.slots) {
          if (!free.given && slot == null) {
            extent = each;
            slot = free;
          }
        }
      }
    }
    if (slot == null) {
      unlock(home());
      nextStripe();
      return;
    }
    slot().given = true;
    at = At.PUBLISH;
  }

  private void publish() {
    if (home().abandoned && !flawed(Flaw.HUNG_PUBLISHES)) {
      unlock(home()); // it has no record, so nobody knows of it
      nextStripe();
      return;
    }
    world.publish(slot(), from(), tag, lender != null);
    at = flawed(Flaw.COUNT_AFTER_UNLOCK) ? At.UNLOCK : At.COUNT;
  }

  private void nextStripe() {
    tried++;
    if (tried < Parts.STRIPES) {
      at = At.LOCK;
      return;
    }
    final Generation lends = lender == null ? generation.lender : null;
    if (lends == null || world.current != generation) {
      if (world.current == generation) {
        failed();
      } else {
        at = At.CURRENT;
      }
      return;
    }
    lender = lends;
    tried = 0;
    at = At.LOCK;
  }

  /** Mapper.hasArrived: what is on its way is waited for. */
  private void failed() {
    at = At.ARRIVAL;
    if (flawed(Flaw.NO_WAIT_FOR_ARRIVAL)) {
      world.failed();
      at = At.CURRENT;
    }
  }

  private void unmap() {
    switch (at) {
      case CLAIM -> {
        if (gone()) {
          ended();
        } else if (slot().state == RecordState.LIVE && slot().tag == tag) {
          slot().state = RecordState.COPYING;
          at = flawed(Flaw.COPY_AFTER_FREE) ? At.HOME : At.COPY_OUT;
        } else {
          throw new AssertionError(name + " has lost its mapping");
        }
      }
      case COPY_OUT -> {
        copyOut();
        at = At.HOME;
      }
      case HOME -> {
        if (gone()) {
          ended();
          return;
        }
        stripe = Objects.requireNonNull(extent).home;
        if (stripe == null) {
          throw new AssertionError(name + " has a mapping in an extent that is nobody's");
        }
        at = At.LOCK_HOME;
      }
      case LOCK_HOME -> lockHome();
      case FREE -> {
        from().live[home().index]--;
        slot().state = RecordState.FREE;
        at = At.CALLABLE;
      }
      case CALLABLE -> at = home().pool.callable ? At.RELEASE : At.UNLOCK_HOME;
      case RELEASE -> {
        World.inside(home());
        slot().given = false;
        at = At.UNLOCK_HOME;
      }
      case UNLOCK_HOME -> {
        unlock(home());
        at = At.LATE_COPY;
        if (!claimed || !flawed(Flaw.COPY_AFTER_FREE)) {
          ended();
        }
      }
      case LATE_COPY -> {
        copyOut();
        ended();
      }
      default -> throw new IllegalStateException(where());
    }
  }

  /** Whether the core revoked the mapping: then its unmap is quiet. */
  private boolean gone() {
    return world.revoked.contains(tag);
  }

  private void lockHome() {
    if (home().abandoned) {
      // Unmapper.finishAbandoned: only the record counts there.
      slot().state = RecordState.FREE;
      ended();
      return;
    }
    lock(home());
    final boolean mine =
        claimed || (slot().state == RecordState.LIVE && slot().tag == tag && !gone());
    if (Objects.requireNonNull(extent).home != home()) {
      unlock(home());
      at = At.HOME;
    } else if (!mine && !flawed(Flaw.NO_TAG_RECHECK)) {
      unlock(home());
      if (!gone()) {
        throw new AssertionError(name + " has lost its mapping");
      }
      ended();
    } else {
      at = At.FREE;
    }
  }

  private void copyOut() {
    if (slot().content != tag) {
      throw new AssertionError(name + " reads " + slot().content + " and wrote " + tag);
    }
  }

  private void ended() {
    rounds--;
    at = rounds == 0 ? At.DONE : At.CURRENT;
  }
}
