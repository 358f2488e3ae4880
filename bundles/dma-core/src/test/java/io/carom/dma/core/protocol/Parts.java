package io.carom.dma.core.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the protocol is about: the core's objects, with nothing but what it needs of them. */
final class Parts {
  static final int STRIPES = 2;
  static final int SLOTS = 2;

  private Parts() {}

  /** As {@code MappingRecord}. */
  enum RecordState {
    FREE,
    LIVE,
    COPYING
  }

  /** As {@code Generation.State}. */
  enum State {
    READY,
    CURRENT,
    DRAINING,
    ADOPTED,
    CLOSED
  }

  /** As {@code StripeLock}. */
  static final class Stripe {
    final Pool pool;
    final int index;
    @Nullable Actor owner;
    boolean abandoned;

    Stripe(final Pool pool, final int index) {
      this.pool = pool;
      this.index = index;
    }

    boolean free() {
      return owner == null;
    }
  }

  /** As {@code Pool}. */
  static final class Pool {
    final Stripe[] stripes = new Stripe[STRIPES];
    boolean callable = true;

    /** Nobody may be in its code any more: the bundle has stopped. */
    boolean ended;

    /** Generations that it is current for. */
    int users;

    /** Extents that came to it so far, and movers that may have one in hand for it. */
    int arrivals;

    int expecting;

    Pool() {
      for (int i = 0; i < STRIPES; i++) {
        stripes[i] = new Stripe(this, i);
      }
    }
  }

  /** As {@code Generation}. */
  static final class Generation {
    final int number;
    final Pool pool;
    final int[] live = new int[STRIPES];
    State state = State.READY;
    @Nullable Generation lender;

    /** Its grace is over: only who borrows makes mappings in it. */
    boolean graced;

    /** The swap has said that no mapping of it is left, and none comes. */
    boolean over;

    Generation(final int number, final Pool pool) {
      this.number = number;
      this.pool = pool;
    }

    @Override
    public String toString() {
      return "generation " + number;
    }
  }

  /** A mapping record and the slot that it stands for. */
  static final class Slot {
    RecordState state = RecordState.FREE;
    @Nullable Generation generation;
    int tag;

    /** What lies in bounce memory. */
    int content;

    /** Whether the strategy thinks that it gave it away. */
    boolean given;
  }

  /** As {@code ExtentState}. */
  static final class Extent {
    final int id;
    final Slot[] slots = new Slot[SLOTS];
    @Nullable Stripe home;

    /** Whether somebody has taken it and not given it yet: nobody else can. */
    boolean inHand;

    Extent(final int id) {
      this.id = id;
      for (int i = 0; i < SLOTS; i++) {
        slots[i] = new Slot();
      }
    }

    boolean empty() {
      for (final Slot slot : slots) {
        if (slot.state != RecordState.FREE) {
          return false;
        }
      }
      return true;
    }
  }

  /** Extents of a pool, or those that nobody has for null. */
  static List<Extent> of(final List<Extent> all, final @Nullable Pool pool) {
    final List<Extent> result = new ArrayList<>();
    for (final Extent extent : all) {
      final Stripe home = extent.home;
      if (home == null ? pool == null : home.pool == pool) {
        result.add(extent);
      }
    }
    return result;
  }
}
