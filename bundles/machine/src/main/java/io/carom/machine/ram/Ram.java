package io.carom.machine.ram;

import io.carom.memory.LazyMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The RAM itself: one segment, low RAM first and high RAM right behind it, and the arithmetic that
 * turns a guest-physical address into an offset in it. Immutable.
 */
public final class Ram {
  private final MemorySegment memory;
  private final List<RamRange> ranges;
  private final long low;
  private final long high;

  /**
   * Allocates RAM.
   *
   * @param low bytes from address 0, whole pages, at least one
   * @param high bytes from 4 GiB, whole pages, 0 for none
   */
  public Ram(final long low, final long high) {
    if (low < 1 || low > PhysicalLayout.LOW_RAM_LIMIT || low % PhysicalLayout.PAGE_SIZE != 0) {
      throw new IllegalArgumentException("low RAM of " + low + " bytes");
    }
    if (high < 0
        || high > PhysicalLayout.MMIO64_BASE - PhysicalLayout.HIGH_RAM_BASE
        || high % PhysicalLayout.PAGE_SIZE != 0) {
      throw new IllegalArgumentException("high RAM of " + high + " bytes");
    }
    this.low = low;
    this.high = high;
    memory = LazyMemory.allocate(low + high); // both far below 2^62: no overflow
    final RamRange lowRange = new RamRange(0, low);
    ranges =
        high == 0
            ? List.of(lowRange)
            : List.of(lowRange, new RamRange(PhysicalLayout.HIGH_RAM_BASE, high));
  }

  /** The ranges in ascending order. */
  public List<RamRange> ranges() {
    return ranges;
  }

  /** All of it. */
  public MemorySegment memory() {
    return memory;
  }

  /** Bytes of low and high RAM. */
  public long size() {
    return low + high;
  }

  /** Bytes of low RAM: where high RAM begins in {@link #memory()}. */
  public long lowSize() {
    return low;
  }

  /**
   * The offset of a run of bytes.
   *
   * @param length 0 or more; any other is never RAM
   * @return the offset of its first byte, or -1 when not all of it is in one range
   */
  public long offset(final long address, final long length) {
    // Compared by what is left behind the address, never by adding: no sum can wrap.
    if (address >= 0 && address < low) {
      return length >= 0 && length <= low - address ? address : -1;
    }
    // For an address near Long.MIN_VALUE this wraps to far above any RAM, which is right.
    final long inHigh = address - PhysicalLayout.HIGH_RAM_BASE;
    if (inHigh >= 0 && inHigh < high) {
      return length >= 0 && length <= high - inHigh ? low + inHigh : -1;
    }
    return -1;
  }

  /** The guest-physical address of an offset within {@link #memory()}. */
  public long address(final long offset) {
    return offset < low ? offset : PhysicalLayout.HIGH_RAM_BASE + (offset - low);
  }
}
