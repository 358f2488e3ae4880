package io.carom.iommu.pool.slots;

import io.carom.dma.spi.Extent;
import io.carom.iommu.pool.bounce.Need;
import io.carom.iommu.pool.bounce.Padded;
import io.carom.iommu.pool.bounce.Sums;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The slots of one range that one stripe has. Guarded by the stripe's lock.
 *
 * <pre>
 *   UNTOUCHED → EMPTY → ASKED → IN_FLIGHT ⇄ IDLE → EVICTING → EMPTY
 *                 ↑       │ denied                        └─→ LEAKED
 *                 └───────┘
 * </pre>
 *
 * <p>Each slot has a number in its stripe, and a state under that number, which every step checks:
 * it changes one state for one other and the list that goes with it, or throws and changes nothing.
 * Idle slots are in the list of their class and permission; one that the device may only read never
 * serves a mapping that it writes. Between asking and answering a slot is in no list.
 *
 * <p>The newest idle slot of each kind is kept apart, with its address: where a kind is used by one
 * mapping after another, taking it and putting it back are a load and a store.
 */
final class StripeSlots extends Padded {
  private static final byte UNTOUCHED = 0;
  private static final byte EMPTY = 1;
  private static final byte ASKED = 2;
  private static final byte IN_FLIGHT = 3;
  private static final byte IDLE = 4;
  private static final byte EVICTING = 5;
  private static final byte LEAKED = 6;

  private static final int PAD = 64; // a cache line of bytes, against false sharing
  private static final int CLASSES = SlotLayout.CLASSES;
  private static final int KINDS = 8; // lists of a class, rounded up

  final SlotRange range;

  private final int shift; // log2 of the granule's bytes
  private final int[] newest = new int[PAD + CLASSES * KINDS + PAD]; // number or NONE
  private final long[] newestIovas = new long[PAD + CLASSES * KINDS + PAD];
  private final long[] hits = new long[PAD + CLASSES * KINDS + PAD]; // of the newest
  private final IntStack[] idle = new IntStack[CLASSES * KINDS]; // but the newest
  private final IntStack[] empty = new IntStack[CLASSES];
  private final IntStack surplus = new IntStack();
  private final int[] next = new int[CLASSES]; // of the chunk in hand, the first untouched
  private final int[] ends = new int[CLASSES];

  // By number.
  private byte[] states = new byte[2 * PAD];
  private byte[] lists = new byte[2 * PAD];
  private long[] iovas = new long[2 * PAD];
  private @Nullable Extent[] extents = new Extent[2 * PAD];
  private int numbers = PAD;

  // Counts by class, read by others without the lock.
  private final long[] touched = new long[CLASSES];
  private final long[] evicting = new long[CLASSES];
  private final long[] leaked = new long[CLASSES];
  private final long[] misses = new long[CLASSES];
  private final long[] evictions = new long[CLASSES];

  StripeSlots(final SlotRange range) {
    this.range = range;
    shift = range.layout.granuleShift();
    Arrays.fill(newest, IntStack.NONE);
    Arrays.setAll(idle, i -> new IntStack());
    Arrays.setAll(empty, i -> new IntStack());
  }

  /** Takes the newest idle buffer of a kind for a map: its address, or -1. */
  long reuse(final int sizeClass, final int list) {
    final int kind = sizeClass * KINDS + list;
    final int number = newest[PAD + kind];
    if (number >= 0) {
      newest[PAD + kind] = IntStack.NONE;
      hits[PAD + kind]++;
      states[number] = IN_FLIGHT;
      return newestIovas[PAD + kind];
    }
    return next(kind);
  }

  private long next(final int kind) {
    final int number = idle[kind].pop();
    if (number < 0) {
      return -1;
    }
    states[number] = IN_FLIGHT;
    return iovas[number];
  }

  private void keep(final int kind, final int number, final long iova) {
    final int before = newest[PAD + kind];
    newest[PAD + kind] = number;
    newestIovas[PAD + kind] = iova;
    states[number] = IDLE;
    if (before >= 0) {
      idle[kind].push(before);
    }
  }

  /** Takes a slot without pages, to ask for them, or {@link IntStack#NONE}. */
  int ask(final int sizeClass, final int list) {
    int number = empty[sizeClass].pop();
    if (number == IntStack.NONE) {
      number = touch(sizeClass);
      if (number == IntStack.NONE) {
        return number;
      }
    }
    states[number] = ASKED;
    lists[number] = (byte) list;
    return number;
  }

  /** Takes a slot that was never used. */
  private int touch(final int sizeClass) {
    int slot = next[sizeClass];
    if (slot == ends[sizeClass]) {
      slot = range.takeChunk(sizeClass);
      if (slot < 0) {
        return IntStack.NONE;
      }
      ends[sizeClass] = range.chunkEnd(slot);
      range.number(sizeClass, slot, room(sizeClass, slot, ends[sizeClass]));
    }
    next[sizeClass] = slot + 1;
    touched[sizeClass]++;
    return range.number(sizeClass, slot);
  }

  /** Makes room for a chunk; returns the number of its first slot. */
  private int room(final int sizeClass, final int from, final int to) {
    final int first = numbers;
    numbers += to - from;
    if (numbers + PAD > states.length) {
      final int length = Math.max(2 * states.length, numbers + PAD);
      states = Arrays.copyOf(states, length);
      lists = Arrays.copyOf(lists, length);
      iovas = Arrays.copyOf(iovas, length);
      extents = Arrays.copyOf(extents, length);
    }
    for (int slot = from; slot < to; slot++) {
      iovas[first + slot - from] = range.layout.iova(sizeClass, slot);
    }
    return first;
  }

  /** The core granted a slot's pages; returns its number. */
  int grant(final Extent extent) {
    final int sizeClass = sizeClass(extent.busAddress());
    final int number = check(find(sizeClass, extent.busAddress()), ASKED, extent.busAddress());
    if (extent.size() != range.layout.bufferBytes(sizeClass)) {
      throw wrong(extent.busAddress());
    }
    extents[number] = extent;
    misses[sizeClass]++;
    return number;
  }

  /** Whether a slot that was granted does for a request. */
  boolean fits(final int number, final int sizeClass, final int list) {
    return lists[number] == list && sizeClass(iovas[number]) == sizeClass;
  }

  /** A slot that was granted goes to the mapping that it was asked for. */
  void use(final int number) {
    states[number] = IN_FLIGHT;
  }

  /** A slot that was granted is not used: it is kept. */
  void keep(final int number) {
    keep(kind(number), number, iovas[number]);
  }

  /** The core had no pages for a slot. */
  void denied(final long iova) {
    final int sizeClass = sizeClass(iova);
    final int number = check(find(sizeClass, iova), ASKED, iova);
    states[number] = EMPTY;
    empty[sizeClass].push(number);
  }

  /**
   * A mapping ended: the buffer is the newest idle one of its kind.
   *
   * @param bytes of the slot, which say its class
   */
  void release(final long iova, final long bytes) {
    final int sizeClass = Long.numberOfTrailingZeros(bytes) - shift;
    final int number = check(find(sizeClass, iova), IN_FLIGHT, iova);
    keep(sizeClass * KINDS + lists[number], number, iova);
  }

  /** The core takes the pages of an idle slot, which it disposes of. */
  void retract(final Extent extent) {
    final long iova = extent.busAddress();
    final int number = find(sizeClass(iova), iova);
    if (number > 0 && states[number] == EVICTING && surplus.remove(number)) {
      return;
    }
    if (number > 0 && states[number] == ASKED && extents[number] != null) {
      states[number] = EVICTING; // granted, and no mapping came
    } else {
      check(number, IDLE, iova);
      final int kind = kind(number);
      if (newest[PAD + kind] == number) {
        newest[PAD + kind] = IntStack.NONE;
      } else {
        idle[kind].remove(number);
      }
      states[number] = EVICTING;
    }
    extents[number] = null;
    evicting[sizeClass(iova)]++;
  }

  /** The core has disposed of a slot's pages and mapping. */
  void disposed(final Extent extent, final boolean reusable) {
    final int sizeClass = sizeClass(extent.busAddress());
    final int number = check(find(sizeClass, extent.busAddress()), EVICTING, extent.busAddress());
    evicting[sizeClass]--;
    if (reusable) {
      states[number] = EMPTY;
      empty[sizeClass].push(number);
    } else {
      states[number] = LEAKED; // in no list: its addresses are never named again
      leaked[sizeClass]++;
    }
  }

  /**
   * Evicts what was idle since the last call and longer; what is idle since then is old from now
   * on.
   *
   * @param all whether what is idle goes in any case
   */
  void age(final boolean all) {
    for (int i = 0; i < idle.length; i++) {
      final IntStack stack = idle[i];
      if (newest[PAD + i] >= 0) {
        stack.push(newest[PAD + i]);
        newest[PAD + i] = IntStack.NONE;
      }
      final int many = all ? stack.count() : stack.old();
      for (int k = 0; k < many; k++) {
        final int number = stack.at(k);
        states[number] = EVICTING;
        surplus.push(number);
      }
      if (many > 0) {
        stack.dropOldest(many);
        evicting[i / KINDS] += many;
        evictions[i / KINDS] += many;
      }
      stack.age();
    }
  }

  /** The next extent to give back, or null. */
  @Nullable Extent surplus() {
    final int number = surplus.pop();
    if (number < 0) {
      return null;
    }
    final Extent extent = extents[number];
    extents[number] = null;
    return extent;
  }

  long iova(final int number) {
    return iovas[number];
  }

  private int kind(final int number) {
    return sizeClass(iovas[number]) * KINDS + lists[number];
  }

  private int idle(final int sizeClass, final int list) {
    final int kind = sizeClass * KINDS + list;
    return idle[kind].count() + (newest[PAD + kind] >= 0 ? 1 : 0);
  }

  private int sizeClass(final long iova) {
    return range.layout.classOf(iova);
  }

  /** The number of the slot that begins at an address, or -1 when this stripe has none. */
  private int find(final int sizeClass, final long iova) {
    final int slot = range.slot(sizeClass, shift + sizeClass, iova);
    final int number = range.number(sizeClass, slot);
    return number < numbers && iovas[number] == iova ? number : IntStack.NONE;
  }

  private int check(final int number, final byte state, final long iova) {
    if (number < 0 || states[number] != state) {
      throw wrong(iova);
    }
    return number;
  }

  private static IllegalStateException wrong(final long iova) {
    return new IllegalStateException(
        "no slot of this stripe at 0x" + Long.toHexString(iova) + " is in the state for this");
  }

  /** Adds a class's slots to sums. */
  void sum(final int sizeClass, final Sums sums) {
    long cached = 0;
    for (int list = 0; list < Need.LISTS; list++) {
      final int count = idle(sizeClass, list);
      final int kind = sizeClass * KINDS + list;
      cached += count;
      sums.idle(list, count);
      sums.hits += hits[PAD + kind] + idle[kind].pops;
    }
    final long without = empty[sizeClass].count();
    final long other = cached + without + evicting[sizeClass] + leaked[sizeClass];
    sums.untouched -= touched[sizeClass];
    sums.empty += without;
    sums.inFlight += Math.max(0, touched[sizeClass] - other);
    sums.evicting += evicting[sizeClass];
    sums.leaked += leaked[sizeClass];
    sums.misses += misses[sizeClass];
    sums.evictions += evictions[sizeClass];
  }

  /** Slots of a class that have pages, in use or idle. */
  long held(final int sizeClass) {
    return Math.max(
        0, touched[sizeClass] - empty[sizeClass].count() - evicting[sizeClass] - leaked[sizeClass]);
  }

  /** Idle buffers of a class. */
  long idle(final int sizeClass) {
    long sum = 0;
    for (int list = 0; list < Need.LISTS; list++) {
      sum += idle(sizeClass, list);
    }
    return sum;
  }

  /** Whether an unmap failed. */
  boolean leaked() {
    return Arrays.stream(leaked).sum() > 0;
  }
}
