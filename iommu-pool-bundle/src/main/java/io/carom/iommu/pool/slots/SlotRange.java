package io.carom.iommu.pool.slots;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * A range of addresses that is divided into slots, shared by the stripes of a pool.
 *
 * <p>Who has what: a stripe takes slots that were never used in chunks, by one atomic addition to
 * the class's counter, and keeps them for ever. It notes for the chunk under which number it has
 * its first slot. That note, and all about the slot that belongs to the number, is only ever read
 * under the lock of the same stripe, where its extents are homed; so it needs no order of its own.
 */
final class SlotRange {
  /** Position among the pool's ranges. */
  final int index;

  final SlotLayout layout;

  /** First address. */
  final long first;

  /** Last address. */
  final long last;

  /** log2 of the slots of a chunk. */
  final int chunkShift;

  private static final int MOST_CHUNK_SHIFT = 6;
  private static final int SHARES = 4; // a class has at least so many chunks for each stripe

  private final AtomicIntegerArray taken = new AtomicIntegerArray(SlotLayout.CLASSES);
  private final int[][] numbers = new int[SlotLayout.CLASSES][];
  private final long[] bases = new long[SlotLayout.CLASSES];

  /** A range that nothing is in. */
  SlotRange(final int index, final SlotLayout layout, final int stripes) {
    this.index = index;
    this.layout = layout;
    first = layout.first();
    last = layout.end() - 1;
    final int share = Math.max(1, layout.slots() / (SHARES * stripes));
    chunkShift = Math.min(MOST_CHUNK_SHIFT, Integer.SIZE - 1 - Integer.numberOfLeadingZeros(share));
    for (int i = 0; i < SlotLayout.CLASSES; i++) {
      numbers[i] = new int[(layout.slots() >> chunkShift) + 1];
      bases[i] = layout.base(i);
    }
  }

  /**
   * Takes a chunk of slots that were never used.
   *
   * @return its first slot, or -1
   */
  int takeChunk(final int sizeClass) {
    // Asked in vain it is not added to, so it stays within two chunks for each stripe of N.
    if (taken.get(sizeClass) >= layout.slots()) {
      return -1;
    }
    final int first = taken.getAndAdd(sizeClass, 1 << chunkShift);
    return first < layout.slots() ? first : -1;
  }

  /** The slot behind a chunk. */
  int chunkEnd(final int first) {
    return Math.min(layout.slots(), first + (1 << chunkShift));
  }

  /** Notes the number that a stripe has for the first slot of its chunk. */
  void number(final int sizeClass, final int first, final int number) {
    numbers[sizeClass][first >> chunkShift] = number;
  }

  /**
   * The slot of a class that an address lies in.
   *
   * @param shift log2 of the bytes of the class's buffers
   */
  int slot(final int sizeClass, final int shift, final long iova) {
    return (int) ((iova - bases[sizeClass]) >> shift);
  }

  /** The number that the stripe which has a slot has for it; nonsense in another. */
  int number(final int sizeClass, final int slot) {
    return numbers[sizeClass][slot >> chunkShift] + (slot & ((1 << chunkShift) - 1));
  }
}
