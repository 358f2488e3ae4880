package io.carom.dma.spi;

import io.carom.dma.ExtentKind;

/**
 * A run of bounce memory that the core grants to a strategy: the right to place mappings in it. Its
 * bytes are the core's and out of a strategy's reach.
 *
 * @param id number that is unique while the core runs; sorts by creation
 * @param kind where it lies
 * @param busAddress where devices see it; a multiple of 256 KiB for one that was planned, of 4 KiB
 *     for one that a map needed
 * @param size bytes, a multiple of the same
 */
public record Extent(int id, ExtentKind kind, long busAddress, long size) {
  /** log2 of the bytes of a slot. */
  public static final int SLOT_SHIFT = 11;

  /** Bytes of a slot, {@code IO_TLB_SIZE}. */
  public static final int SLOT_SIZE = 1 << SLOT_SHIFT;

  /** log2 of the bytes of a slot set. */
  public static final int SET_SHIFT = 18;

  /** Bytes of a slot set: 128 slots, {@code IO_TLB_SEGSIZE * IO_TLB_SIZE}. */
  public static final int SET_SIZE = 1 << SET_SHIFT;

  /** Slots of a set. */
  public static final int SET_SLOTS = 1 << (SET_SHIFT - SLOT_SHIFT);

  /** First bus address behind the extent. */
  public long end() {
    return busAddress + size; // within 2^48
  }

  /** Number of slots. */
  public int slots() {
    return (int) (size >> SLOT_SHIFT); // an extent is below 4 TiB
  }
}
