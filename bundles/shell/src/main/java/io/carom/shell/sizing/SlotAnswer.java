package io.carom.shell.sizing;

import io.carom.virtio.RegionSizing;

/**
 * The answer for bounce memory in slots of 2 KiB, by the rules of Linux's swiotlb: a mapping is one
 * run of slots that never crosses a slot set of 256 KiB, and keeps the address bits of {@code
 * min_align_mask}, by an offset in its first slot and by the choice of that slot.
 *
 * @param slotBytes bytes of a slot
 * @param setBytes bytes of a slot set
 * @param largestMappingBytes largest mapping that fits wherever its buffer begins
 * @param mappingsPerRequest mappings that the largest request is split into
 * @param alignLossBytes most bytes in front of a buffer in its first slot
 * @param slotsPerMapping slots of the largest of these mappings, at the worst offset
 * @param strideSlots a mapping begins at a slot of the right remainder by this
 * @param mappingsPerSet such mappings that fit in one slot set at least
 * @param peakSets slot sets that all requests in flight take, and buffers that wait for packets
 * @param peakBytes their bytes
 * @param reserveBytes coherent memory of the queues, set apart in whole slot sets
 * @param leastBytes what the device refuses to be smaller than
 * @param neededBytes reserve and peak
 * @param headroomFactor how many times the peak is recommended
 * @param recommendedBytes value for regionBytes: reserve and that many times the peak, in whole MiB
 * @param barBytes address space that its BAR takes: the next power of two
 */
public record SlotAnswer(
    long slotBytes,
    long setBytes,
    long largestMappingBytes,
    long mappingsPerRequest,
    long alignLossBytes,
    long slotsPerMapping,
    long strideSlots,
    long mappingsPerSet,
    long peakSets,
    long peakBytes,
    long reserveBytes,
    long leastBytes,
    long neededBytes,
    int headroomFactor,
    long recommendedBytes,
    long barBytes) {
  private static final long SLOT = 2048;
  private static final long SET = RegionSizing.SET_BYTES;
  private static final long SET_SLOTS = SET / SLOT;
  private static final long PAGE = 4096;

  /** Works it out. */
  static SlotAnswer of(final DeviceLoad load) {
    final long mask = load.minAlignMask();
    final long largest = SET - Rounding.up(mask, SLOT);
    final long piece = Rounding.quotient(load.requestBytes(), load.segments());
    final long whole = piece / largest;
    final long rest = piece % largest;
    final long first = Math.min(piece, largest);
    // at most 2^21 requests of 2^10 pieces, each of at most 2^14 mappings
    final long inFlight = load.requestsInFlight() * load.segments();
    final long receive = load.receiveBuffers();
    final long sets =
        Rounding.quotient(inFlight * whole, perSet(largest, mask))
            + (rest == 0 ? 0 : Rounding.quotient(inFlight, perSet(rest, mask)))
            + (receive == 0 ? 0 : Rounding.quotient(receive, perSet(PAGE, mask)));
    final long peak = sets * SET;
    final int entries = load.queueSizeEntries();
    final long reserve = RegionSizing.reserveBytes(load.rings(), entries);
    final long least = RegionSizing.minimumBytes(load.rings(), entries);
    final long recommended =
        Rounding.up(Math.max(least, reserve + RegionSizer.HEADROOM * peak), RegionSizer.MIB);
    return new SlotAnswer(
        SLOT,
        SET,
        largest,
        (whole + (rest == 0 ? 0 : 1)) * load.segments(),
        loss(mask),
        slots(first, mask),
        stride(first, mask),
        perSet(first, mask),
        sets,
        peak,
        reserve,
        least,
        reserve + peak,
        RegionSizer.HEADROOM,
        recommended,
        Rounding.powerOfTwo(recommended));
  }

  private static long loss(final long mask) {
    return mask & (SLOT - 1);
  }

  private static long slots(final long bytes, final long mask) {
    return Rounding.quotient(bytes + loss(mask), SLOT);
  }

  /** Address bits above a slot are kept by beginning at the right slot; so is page alignment. */
  private static long stride(final long bytes, final long mask) {
    if (mask == 0) {
      return bytes >= PAGE ? PAGE / SLOT : 1;
    }
    return Math.max(1, (mask + 1) / SLOT);
  }

  /**
   * Mappings of one size that fit in an empty set wherever their buffers begin: in front of each at
   * most all but one slot of a stride stay free, or nothing where all begin at the same remainder.
   */
  private static long perSet(final long bytes, final long mask) {
    final long stride = stride(bytes, mask);
    final long slots = slots(bytes, mask);
    final long each = mask == 0 ? Rounding.up(slots, stride) : slots + stride - 1;
    return SET_SLOTS / each;
  }
}
