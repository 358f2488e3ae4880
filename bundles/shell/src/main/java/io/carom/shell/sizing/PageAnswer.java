package io.carom.shell.sizing;

import io.carom.virtio.SplitRingDescriptor;

/**
 * The answer for a region that is handed out in pages, as a driver of the VIRTIO_F_DMB proposal
 * does it: no slot sets, but whatever the device looks at takes whole pages of its own, and one
 * mapping takes an eighth of the region at most.
 *
 * @param pageBytes bytes of a page
 * @param dataPagesPerRequest pages of the largest request's data
 * @param otherPagesPerRequest pages of its header, its status byte and its indirect table
 * @param pagesPerRequest both
 * @param ringPagesPerQueue pages of a queue's three ring areas
 * @param firstPages pages at the start that are never handed out: offset 0 is reserved
 * @param peakBytes bytes that all requests in flight take
 * @param neededBytes first page, rings and peak
 * @param leastForMappingBytes eight times the largest mapping
 * @param headroomFactor how many times the peak is recommended
 * @param recommendedBytes size of the region: first page, rings and that many times the peak, at
 *     least eight times the largest mapping, in whole MiB
 * @param barBytes address space that its BAR takes: the next power of two
 */
public record PageAnswer(
    long pageBytes,
    long dataPagesPerRequest,
    long otherPagesPerRequest,
    long pagesPerRequest,
    long ringPagesPerQueue,
    long firstPages,
    long peakBytes,
    long neededBytes,
    long leastForMappingBytes,
    int headroomFactor,
    long recommendedBytes,
    long barBytes) {
  private static final long PAGE = 4096;
  private static final int OTHER_PAGES = 3;
  private static final int FIRST_PAGES = 1;
  private static final int SHARE = 8;

  /** Works it out. */
  static PageAnswer of(final DeviceLoad load) {
    final long data =
        Rounding.quotient(load.requestBytes() + (load.minAlignMask() & (PAGE - 1)), PAGE);
    final long each = data + OTHER_PAGES;
    final int entries = load.queueSizeEntries();
    final long ring =
        Rounding.quotient(SplitRingDescriptor.descBytes(entries), PAGE)
            + Rounding.quotient(SplitRingDescriptor.availBytes(entries), PAGE)
            + Rounding.quotient(SplitRingDescriptor.usedBytes(entries), PAGE);
    final long fixed = (FIRST_PAGES + load.queues() * ring) * PAGE;
    final long peak = load.requestsInFlight() * each * PAGE; // at most 2^21 times 2^31
    final long largest = SHARE * data * PAGE;
    final long recommended =
        Rounding.up(Math.max(largest, fixed + RegionSizer.HEADROOM * peak), RegionSizer.MIB);
    return new PageAnswer(
        PAGE,
        data,
        OTHER_PAGES,
        each,
        ring,
        FIRST_PAGES,
        peak,
        fixed + peak,
        largest,
        RegionSizer.HEADROOM,
        recommended,
        Rounding.powerOfTwo(recommended));
  }
}
