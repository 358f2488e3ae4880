package io.carom.pci;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * One base address register of a function.
 *
 * @param index 0..5; a 64-bit BAR also takes the next one
 * @param size bytes, a power of two of at least 16
 * @param wide whether it is a 64-bit BAR
 * @param prefetchable whether reads have no side effects
 * @param memory the bytes behind it, for a BAR that is plain memory; null for registers
 * @param swiotlb whether this BAR's memory is the function's own SWIOTLB range, which its DMA
 *     reaches locally
 * @param doorbells first byte of the registers that are doorbells, see {@link #withDoorbells}
 * @param doorbellBytes how many bytes of them there are, 0 for none
 */
public record BarSpec(
    int index,
    long size,
    boolean wide,
    boolean prefetchable,
    @Nullable MemorySegment memory,
    boolean swiotlb,
    long doorbells,
    long doorbellBytes) {
  /** Checks the rules of PCI 3.0 section 6.2.5.1. */
  public BarSpec {
    if (index < 0 || index > (wide ? 4 : 5)) {
      throw new IllegalArgumentException("BAR index " + index + " is out of range");
    }
    if (size < 16 || Long.bitCount(size) != 1) {
      throw new IllegalArgumentException("BAR size " + size + " is not a power of two of >= 16");
    }
    if (memory != null && memory.byteSize() > size) {
      throw new IllegalArgumentException(
          "BAR " + index + " of " + size + " bytes is smaller than its memory");
    }
    if (swiotlb && memory == null) {
      throw new IllegalArgumentException("BAR " + index + " has no memory for a SWIOTLB range");
    }
    // both are at least 0 when it comes to the difference: no overflow
    if (doorbells < 0
        || doorbellBytes < 0
        || doorbells > size
        || doorbellBytes > size - doorbells) {
      throw new IllegalArgumentException(
          "BAR "
              + index
              + ": doorbells of "
              + doorbellBytes
              + " bytes at "
              + doorbells
              + " lie outside its "
              + size
              + " bytes");
    }
    if (doorbellBytes > 0 && memory != null) {
      throw new IllegalArgumentException("BAR " + index + " is memory and has no doorbells");
    }
  }

  /** A BAR without doorbells. */
  public BarSpec(
      final int index,
      final long size,
      final boolean wide,
      final boolean prefetchable,
      final @Nullable MemorySegment memory,
      final boolean swiotlb) {
    this(index, size, wide, prefetchable, memory, swiotlb, 0, 0);
  }

  /**
   * The same BAR with registers to which a store means no more than "look at this place again": it
   * may be repeated, and of two to one place only the last one counts. While the function is away
   * such a store is latched and returns at once, and is done when the function is back.
   *
   * @param offset of the first byte
   * @param length bytes, at least 1
   */
  public BarSpec withDoorbells(final long offset, final long length) {
    return new BarSpec(index, size, wide, prefetchable, memory, swiotlb, offset, length);
  }

  /** Whether a store there is a doorbell. */
  public boolean isDoorbell(final long offset) {
    return offset >= doorbells && offset - doorbells < doorbellBytes;
  }

  /** A BAR of registers. */
  public static BarSpec registers(
      final int index, final long size, final boolean wide, final boolean prefetchable) {
    return new BarSpec(index, size, wide, prefetchable, null, false);
  }

  /** A 64-bit prefetchable BAR that is the function's SWIOTLB region. */
  public static BarSpec swiotlb(final int index, final MemorySegment memory) {
    final long size = Math.max(4096, Long.highestOneBit(memory.byteSize() * 2 - 1));
    return new BarSpec(index, size, true, true, memory, true);
  }
}
