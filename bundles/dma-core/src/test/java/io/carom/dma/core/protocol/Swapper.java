package io.carom.dma.core.protocol;

import io.carom.dma.core.protocol.Parts.Extent;
import io.carom.dma.core.protocol.Parts.Generation;
import io.carom.dma.core.protocol.Parts.Pool;
import io.carom.dma.core.protocol.Parts.RecordState;
import io.carom.dma.core.protocol.Parts.Slot;
import io.carom.dma.core.protocol.Parts.State;
import io.carom.dma.core.protocol.Parts.Stripe;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Swaps the device's strategy, some times over; takes a swap back when that is wanted, revokes or
 * adopts at the deadline. Stands for {@code Swapper}.
 */
final class Swapper extends Actor {
  private static final int DEADLINE = 8; // one drain round of so many finds it passed

  private enum At {
    READY,
    YIELD,
    SPARE,
    LEND,
    STATES,
    PUBLISH,
    GRACE,
    FLOW,
    COUNT,
    CANCEL,
    CANCEL_PUBLISH,
    CANCEL_STATES,
    CANCEL_GRACE,
    END,
    STATE,
    SECOND_GRACE,
    RECOUNT,
    REVOKE,
    DISABLE,
    END_GRACE,
    FLOW_LENT,
    LAST_FLOW,
    DONE
  }

  private final boolean lends;
  private final boolean deadlines;
  private int rounds;
  private At at = At.READY;
  private @Nullable Generation from;
  private @Nullable Generation to;
  private @Nullable Extents moving;
  private int stripe;
  private int sum;
  private int revoking;
  private boolean revokes;
  private boolean drained;
  private boolean cancelled;
  private @Nullable Stripe locked;

  Swapper(final World world, final int rounds, final boolean lends, final boolean deadlines) {
    super(world, "swapper");
    this.rounds = rounds;
    this.lends = lends;
    this.deadlines = deadlines;
  }

  @Override
  boolean done() {
    return at == At.DONE;
  }

  @Override
  String where() {
    return name + " " + at + " of " + from + " to " + to;
  }

  private Generation from() {
    return Objects.requireNonNull(from);
  }

  private Generation to() {
    return Objects.requireNonNull(to);
  }

  private Extents moving() {
    return Objects.requireNonNull(moving);
  }

  @Override
  boolean enabled() {
    return switch (at) {
      case READY, CANCEL, END -> !world.structure;
      case YIELD, SPARE, FLOW, FLOW_LENT, LAST_FLOW -> moving().done() || moving().enabled();
      case GRACE, SECOND_GRACE, END_GRACE -> passable(from().pool);
      case CANCEL_GRACE -> passable(to().pool);
      case REVOKE -> {
        final Stripe home = revoked() == null ? null : Objects.requireNonNull(revoked()).home;
        yield locked != null || home == null || home.free() || home.abandoned;
      }
      case DONE -> false;
      default -> true;
    };
  }

  /** PoolStore.spare: half of what would be left if twice as much were used, but one. */
  private int spare() {
    final List<Extent> extents = Parts.of(world.extents, from().pool);
    int idle = 0;
    for (final Extent extent : extents) {
      for (final Slot slot : extent.slots) {
        idle += slot.state == RecordState.FREE ? 1 : -1;
      }
    }
    return extents.isEmpty() ? 0 : Math.max(1, idle / (2 * Parts.SLOTS));
  }

  private boolean passable(final Pool pool) {
    final Stripe next = pool.stripes[stripe];
    return next.free() || next.abandoned;
  }

  @Override
  void step() {
    switch (at) {
      case READY -> {
        world.structure = true;
        from = world.current;
        to = world.generation();
        cancelled = false;
        moving = new Extents(this, from().pool, to().pool, spare());
        at = At.YIELD;
      }
      case YIELD -> moved(At.SPARE);
      case SPARE -> moved(At.LEND);
      case LEND -> {
        to().lender = lends ? from() : null;
        to().state = State.CURRENT;
        at = At.STATES;
      }
      case STATES -> {
        from().state = State.DRAINING;
        at = At.PUBLISH;
      }
      case PUBLISH -> {
        world.current = to();
        to().pool.users++;
        from().pool.users--;
        stripe = 0;
        at = flawed(Flaw.NO_GRACE) ? At.FLOW : At.GRACE;
        if (at == At.FLOW) {
          drains();
        }
      }
      case GRACE -> {
        if (passed()) {
          drains();
        }
      }
      case FLOW -> moved(At.COUNT);
      case FLOW_LENT -> moved(At.RECOUNT);
      case COUNT -> count();
      default -> end();
    }
  }

  /** Moves an extent further; begins the next phase when there is none left. */
  private void moved(final At after) {
    if (!moving().done()) {
      moving().step();
      return;
    }
    moving().end();
    if (after == At.SPARE) {
      moving = new Extents(this, null, to().pool, Integer.MAX_VALUE);
    }
    at = after;
    stripe = 0;
    sum = 0;
  }

  private void drains() {
    from().graced = true;
    world.structure = false;
    moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
    at = At.FLOW;
  }

  /** Takes a stripe's lock once; whether it was the last. */
  private boolean passed() {
    stripe++;
    if (stripe < Parts.STRIPES) {
      return false;
    }
    stripe = 0;
    return true;
  }

  /** Generation.live: a cell at a time, without locks; records of abandoned stripes one by one. */
  private void count() {
    sum += live(from(), stripe);
    if (!passed()) {
      return;
    }
    final boolean empty = sum == 0 && nothingEmpty();
    sum = 0;
    if (world.cancelWanted && !cancelled && world.current == to()) {
      at = At.CANCEL;
    } else if (empty || (deadlines && world.random.nextInt(DEADLINE) == 0)) {
      drained = empty;
      at = At.END;
    } else {
      moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
      at = At.FLOW;
    }
  }

  /** PoolStore.isDrained: a lender keeps nothing that the borrower could need. */
  private boolean nothingEmpty() {
    if (flawed(Flaw.LOAN_ENDS_EARLY)) {
      return true;
    }
    for (final Extent extent : world.extents) {
      final Stripe home = extent.home;
      if (home != null && home.pool == from().pool && !home.abandoned && extent.empty()) {
        return false;
      }
    }
    return true;
  }

  private int live(final Generation generation, final int index) {
    final Stripe each = generation.pool.stripes[index];
    if (!each.abandoned) {
      return generation.live[index];
    }
    int live = 0;
    for (final Extent extent : world.extents) {
      if (extent.home == each) {
        for (final Slot slot : extent.slots) {
          if (slot.state != RecordState.FREE && slot.generation == generation) {
            live++;
          }
        }
      }
    }
    return live;
  }

  private void end() {
    switch (at) {
      case CANCEL -> {
        world.cancelWanted = false;
        if (world.current != to() || from().state != State.DRAINING || !from().pool.callable) {
          moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
          at = At.FLOW; // refused: another one replaced it
          return;
        }
        world.structure = true;
        from().lender = lends ? to() : null;
        from().graced = false;
        to().state = State.DRAINING;
        at = At.CANCEL_PUBLISH;
      }
      case CANCEL_PUBLISH -> {
        world.current = from();
        from().pool.users++;
        to().pool.users--;
        cancelled = true;
        at = At.CANCEL_STATES;
      }
      case CANCEL_STATES -> {
        // only now: until it was published the other one could still borrow from it
        from().state = State.CURRENT;
        to().lender = null;
        at = At.CANCEL_GRACE;
        if (flawed(Flaw.NO_CANCEL_GRACE)) {
          exchange();
        }
      }
      case CANCEL_GRACE -> {
        if (passed()) {
          exchange();
        }
      }
      case END -> {
        world.structure = true;
        to().lender = null;
        at = At.STATE;
      }
      case STATE -> {
        from().state = drained ? State.CLOSED : State.ADOPTED;
        at = flawed(Flaw.NO_SECOND_GRACE) ? At.RECOUNT : At.SECOND_GRACE;
      }
      case SECOND_GRACE -> {
        if (passed()) {
          at = At.RECOUNT;
        }
      }
      case RECOUNT -> recount();
      case REVOKE -> revoke();
      case DISABLE -> {
        if (from().pool.users == 0) {
          from().pool.callable = false;
        }
        at = At.END_GRACE;
      }
      case END_GRACE -> {
        if (passed()) {
          from().pool.ended |= !from().pool.callable;
          lastFlow();
        }
      }
      case LAST_FLOW -> {
        if (moving().done()) {
          moving().end();
          moving = null;
          world.structure = false;
          rounds--;
          at = rounds == 0 ? At.DONE : At.READY;
        } else {
          moving().step();
        }
      }
      default -> throw new IllegalStateException(where());
    }
  }

  /** The roles are exchanged: what was new drains. */
  private void exchange() {
    world.cancelledSwaps++;
    final Generation back = from();
    from = to();
    to = back;
    drains();
  }

  private void recount() {
    sum += live(from(), stripe);
    if (!passed()) {
      return;
    }
    final int left = sum;
    sum = 0;
    if (left == 0) {
      from().over = true;
      world.drainedSwaps++;
      lastFlow();
      return;
    }
    if (drained && !revokes && !(deadlines && world.random.nextInt(DEADLINE) == 0)) {
      // Swapper.end: what was lent last drains as well, as long as there is time
      moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
      at = At.FLOW_LENT;
      return;
    }
    revokes = revokes || world.random.nextBoolean();
    at = revokes ? At.REVOKE : At.DISABLE;
    revoking = 0;
  }

  private void lastFlow() {
    moving = new Extents(this, from().pool, world.current.pool, Integer.MAX_VALUE);
    at = At.LAST_FLOW;
    revokes = false;
  }

  private @Nullable Extent revoked() {
    final int extent = revoking / Parts.SLOTS;
    return extent < world.extents.size() ? world.extents.get(extent) : null;
  }

  /** The device is fenced: takes each record that nobody is ending already. */
  private void revoke() {
    final Extent extent = revoked();
    if (extent == null) {
      stripe = 0;
      at = At.RECOUNT; // until those that are being copied out have ended, too
      return;
    }
    final Slot slot = extent.slots[revoking % Parts.SLOTS];
    final Stripe home = extent.home;
    if (locked == null) {
      if (home == null || home.abandoned || home.pool != from().pool || !takes(slot)) {
        revoking++;
      } else {
        lock(home);
        locked = home;
      }
      return;
    }
    if (extent.home == locked && takes(slot) && !locked.abandoned) {
      world.revoked.add(slot.tag);
      world.revokedMappings++;
      from().live[locked.index]--;
      slot.state = RecordState.FREE;
      slot.given = false;
    }
    unlock(locked);
    locked = null;
    revoking++;
  }

  private boolean takes(final Slot slot) {
    return slot.generation == from()
        && (slot.state == RecordState.LIVE
            || (slot.state == RecordState.COPYING && flawed(Flaw.REVOKE_COPYING)));
  }
}
