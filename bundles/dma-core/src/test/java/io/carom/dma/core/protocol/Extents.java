package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Extent;
import io.carom.dma.core.protocol.Parts.Pool;
import io.carom.dma.core.protocol.Parts.RecordState;
import io.carom.dma.core.protocol.Parts.Slot;
import io.carom.dma.core.protocol.Parts.Stripe;
import org.jspecify.annotations.Nullable;

/**
 * Moves empty extents from one pool to another, an access at a time. Stands for {@code
 * PoolStore.flow} and {@code fill}, {@code PoolExtents.grantAll} and {@code takeEmpty}.
 */
final class Extents {
  private final Actor actor;
  private final World world;
  private final @Nullable Pool from;
  private final Pool to;
  private int most;
  private int next;
  private @Nullable Extent looked;
  private @Nullable Extent taken;
  private @Nullable Stripe locked;

  Extents(final Actor actor, final @Nullable Pool from, final Pool to, final int most) {
    this.actor = actor;
    this.world = actor.world;
    this.from = from;
    this.to = to;
    this.most = most;
    to.expecting++;
  }

  boolean done() {
    return taken == null
        && locked == null
        && looked == null
        && (most == 0 || next == world.extents.size());
  }

  /** Nothing more comes by this one. */
  void end() {
    to.expecting--;
  }

  boolean enabled() {
    if (locked != null || looked != null) {
      return true;
    }
    final Stripe wanted = wanted();
    return wanted == null || wanted.free() || wanted.abandoned;
  }

  /** The stripe whose lock the next step takes, or null. */
  private @Nullable Stripe wanted() {
    if (taken != null) {
      return to.stripes[next % Parts.STRIPES];
    }
    final Stripe home = world.extents.get(next).home;
    return home == null || home.pool != from ? null : home;
  }

  void step() {
    if (taken != null) {
      grant();
    } else {
      take();
    }
  }

  private void take() {
    final Extent extent = world.extents.get(next);
    if (looked != null) { // the flaw: what was empty a step before
      looked = null;
      take(extent);
      extent.home = null;
      return;
    }
    if (locked != null) {
      if (extent.home == locked && extent.empty() && !locked.abandoned) {
        extent.home = null;
        for (final Slot slot : extent.slots) {
          slot.given = false; // retracted: the strategy forgets it
        }
        take(extent);
      } else {
        next++;
      }
      actor.unlock(locked);
      locked = null;
      return;
    }
    final Stripe home = extent.home;
    if (home == null && from == null && !extent.inHand) {
      take(extent); // one that nobody has
    } else if (home == null || home.pool != from || home.abandoned) {
      next++;
    } else if (actor.flawed(Flaw.MOVE_UNLOCKED)) {
      if (extent.empty()) {
        looked = extent;
      } else {
        next++;
      }
    } else {
      actor.lock(home);
      locked = home;
    }
  }

  private void take(final Extent extent) {
    extent.inHand = true;
    taken = extent;
    most--;
  }

  private void grant() {
    final Extent extent = taken;
    final Stripe home = to.stripes[next % Parts.STRIPES];
    if (extent == null) {
      throw new IllegalStateException("nothing to grant");
    }
    if (locked == null) {
      if (home.abandoned) {
        taken = null; // stays nobody's
        extent.inHand = false;
        next++;
        return;
      }
      actor.lock(home);
      locked = home;
      return;
    }
    extent.home = home;
    extent.inHand = false;
    for (final Slot slot : extent.slots) {
      slot.given = slot.state != RecordState.FREE;
    }
    actor.unlock(home);
    locked = null;
    taken = null;
    to.arrivals++;
    next++;
  }
}
