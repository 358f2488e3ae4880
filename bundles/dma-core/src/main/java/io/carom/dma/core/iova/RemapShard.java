package io.carom.dma.core.iova;

import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.StripeLock;
import org.jspecify.annotations.Nullable;

/**
 * One shard of a {@link RemapTable}: open addressing with linear probes over records of eight
 * longs. All methods but {@link #search}, {@link #visit} and {@link #used} are called with the lock
 * held; places are good until the next change.
 *
 * <pre>
 *   0      1         2            3         4      5                           6
 *   iova | ioBytes | busAddress | address | size | stripe:32 flags:16 dir:8 st:8 | gen:32 tick:32
 * </pre>
 */
final class RemapShard extends StripeLock {
  /** States; 0 is a free place. */
  static final int MAPPING = 1;

  static final int LIVE = 2;
  static final int ENDING = 3;

  private static final int STRIDE_SHIFT = 3;
  private static final int STRIDE = 1 << STRIDE_SHIFT;
  private static final int INITIAL = 32;
  private static final int IO_BYTES = 1;
  private static final int BUS = 2;
  private static final int ADDRESS = 3;
  private static final int SIZE = 4;
  private static final int META = 5;
  private static final int AGE = 6;
  private static final Remapped.State[] STATES = Remapped.State.values();

  final int index;
  private final int granuleShift;
  private long[] words = new long[INITIAL * STRIDE];
  private int mask = INITIAL - 1;
  private int used;

  RemapShard(final int index, final int granuleShift) {
    this.index = index;
    this.granuleShift = granuleShift;
  }

  static long mix(final long granule) {
    return granule * 0x9E3779B97F4A7C15L;
  }

  static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }

  private int home(final long iova) {
    return (int) (mix(iova >>> granuleShift) >>> 24) & mask; // below the 6 bits of the shard
  }

  private long word(final int place, final int field) {
    return words[(place << STRIDE_SHIFT) + field];
  }

  int state(final int place) {
    return (int) word(place, META) & 0xff;
  }

  int direction(final int place) {
    return (int) (word(place, META) >>> 8) & 0xff;
  }

  boolean list(final int place) {
    return ((word(place, META) >>> 16) & RemapTable.LIST) != 0;
  }

  long busAddress(final int place) {
    return word(place, BUS);
  }

  long size(final int place) {
    return word(place, SIZE);
  }

  int generation(final int place) {
    return (int) (word(place, AGE) >>> 32);
  }

  int used() {
    return used;
  }

  /** Changes the state of a record. */
  void state(final int place, final int state) {
    final int at = (place << STRIDE_SHIFT) + META;
    words[at] = (words[at] & ~0xffL) | state;
  }

  /** The place of a live record of a generation, or -1. */
  int liveOf(final int generation) {
    for (int i = 0; i <= mask; i++) {
      if (state(i) == LIVE && generation(i) == generation) {
        return i;
      }
    }
    return -1;
  }

  /** The place of a range's record, or -1. */
  int find(final long iova) {
    for (int i = home(iova); state(i) != 0; i = (i + 1) & mask) {
      if (word(i, 0) == iova) {
        return i;
      }
    }
    return -1;
  }

  /** The place of a record that must be there in that state. */
  int expect(final long iova, final int state) {
    final int i = find(iova);
    if (i < 0 || state(i) != state) {
      throw new IllegalStateException(
          "range "
              + hex(iova)
              + " is "
              + (i < 0 ? "not recorded" : STATES[state(i) - 1].name())
              + ", not "
              + STATES[state - 1]);
    }
    return i;
  }

  /** Takes a place for a range, without a state yet; -1 if it has one already. */
  int add(final long iova) {
    if (used * 2 > mask) {
      grow();
    }
    int i = home(iova);
    for (; state(i) != 0; i = (i + 1) & mask) {
      if (word(i, 0) == iova) {
        return -1;
      }
    }
    words[i << STRIDE_SHIFT] = iova;
    used++;
    return i;
  }

  void fill(
      final int place,
      final long ioBytes,
      final long busAddress,
      final long address,
      final long size) {
    final int at = place << STRIDE_SHIFT;
    words[at + IO_BYTES] = ioBytes;
    words[at + BUS] = busAddress;
    words[at + ADDRESS] = address;
    words[at + SIZE] = size;
  }

  /** Says the rest, and makes the record one that is MAPPING. */
  void describe(
      final int place,
      final int direction,
      final int flags,
      final int generation,
      final int stripe,
      final int tick) {
    final int at = place << STRIDE_SHIFT;
    words[at + META] = ((long) stripe << 32) | (flags << 16) | (direction << 8) | MAPPING;
    words[at + AGE] = ((long) generation << 32) | (tick & 0xffff_ffffL);
  }

  /** Empties a place and moves up what was pushed past it, so that no probe ends too soon. */
  void delete(final int place) {
    used--;
    int hole = place;
    state(hole, 0);
    for (int i = (hole + 1) & mask; state(i) != 0; i = (i + 1) & mask) {
      final int wanted = home(word(i, 0));
      final boolean stays = hole <= i ? hole < wanted && wanted <= i : hole < wanted || wanted <= i;
      if (!stays) {
        System.arraycopy(words, i << STRIDE_SHIFT, words, hole << STRIDE_SHIFT, STRIDE);
        state(i, 0);
        hole = i;
      }
    }
  }

  private void grow() {
    final long[] old = words;
    words = new long[old.length * 2];
    mask = mask * 2 + 1;
    for (int at = 0; at < old.length; at += STRIDE) {
      if ((old[at + META] & 0xff) != 0) {
        int i = home(old[at]);
        while (state(i) != 0) {
          i = (i + 1) & mask;
        }
        System.arraycopy(old, at, words, i << STRIDE_SHIFT, STRIDE);
      }
    }
  }

  void copy(final int place, final Remapped out) {
    final long meta = word(place, META);
    out.state = STATES[state(place) - 1];
    out.iova = word(place, 0);
    out.ioBytes = word(place, IO_BYTES);
    out.busAddress = busAddress(place);
    out.address = word(place, ADDRESS);
    out.size = size(place);
    out.direction = direction(place);
    out.flags = (int) (meta >>> 16) & 0xffff;
    out.stripe = (int) (meta >>> 32);
    out.generation = generation(place);
    out.tick = (int) word(place, AGE);
    out.owner = null;
  }

  /** Whether a run lies in the mapping at a place, which is live and the caller's. */
  boolean covers(
      final int place,
      final long busAddress,
      final long size,
      final int direction,
      final RemapTable.Owner owner,
      final @Nullable Remapped out) {
    if (state(place) != LIVE
        || busAddress < busAddress(place)
        || busAddress - busAddress(place) > spanned(place) - size
        || (direction(place) != direction && direction(place) != 0)) {
      return false;
    }
    final Generation generation = owner.mine(generation(place));
    if (generation == null) {
      return false;
    }
    if (out != null) {
      copy(place, out);
      out.owner = generation;
    }
    return true;
  }

  /** Bytes from the first of the buffer on: a list's entries have gaps between them. */
  private long spanned(final int place) {
    return (word(place, META) >>> 16 & RemapTable.LIST) == 0
        ? size(place)
        : word(place, 0) + word(place, IO_BYTES) - busAddress(place); // ranges end below 2^63
  }

  /** Looks at all records. Takes the lock. */
  boolean search(
      final long busAddress,
      final long size,
      final int direction,
      final RemapTable.Owner owner,
      final @Nullable Remapped out) {
    lock(Thread.currentThread().threadId());
    try {
      for (int i = 0; i <= mask; i++) {
        if (covers(i, busAddress, size, direction, owner, out)) {
          return true;
        }
      }
      return false;
    } finally {
      unlock();
    }
  }

  /** Shows all records. Takes the lock. */
  void visit(final Remapped record, final RemapTable.Visitor visitor) {
    lock(Thread.currentThread().threadId());
    try {
      for (int i = 0; i <= mask; i++) {
        if (state(i) != 0) {
          copy(i, record);
          visitor.record(record);
        }
      }
    } finally {
      unlock();
    }
  }
}
