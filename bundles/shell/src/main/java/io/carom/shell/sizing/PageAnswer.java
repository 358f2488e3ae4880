package io.carom.shell.sizing;

import io.carom.virtio.SplitRingDescriptor;

/**
 * The answer for a region that is handed out in pages, as a driver of the VIRTIO_F_DMB proposal
 * does it: no slot sets, but whatever the device looks at takes whole pages of its own, and one
 * mapping takes an eighth of the region at most.
 *
 * @param pageBytes bytes of a page
 * @param dataPagesPerRequest pages of the largest request's data: of each piece its whole pages
 * @param otherPagesPerRequest pages of its header and its status byte; none of a packet, whose
 *     header lies in front of its first bytes
 * @param tablePagesPerRequest pages of its indirect table
 * @param pagesPerRequest all three
 * @param receivePagesPerQueue pages of the buffers that wait on a receive queue
 * @param ringPagesPerQueue pages of a queue's three ring areas
 * @param firstPages pages at the start that are never handed out: offset 0 is reserved
 * @param leastPages pages that any region has at least
 * @param peakBytes bytes that all requests in flight take
 * @param neededBytes first page, rings, receive buffers and peak
 * @param leastForMappingBytes eight times the largest mapping
 * @param headroomFactor how many times the peak is recommended
 * @param recommendedBytes size of the region: first page, rings, receive buffers and that many
 *     times the peak, at least eight times the largest mapping, in whole MiB
 * @param barBytes address space that its BAR takes: the next power of two
 */
public record PageAnswer(
    long pageBytes,
    long dataPagesPerRequest,
    long otherPagesPerRequest,
    long tablePagesPerRequest,
    long pagesPerRequest,
    long receivePagesPerQueue,
    long ringPagesPerQueue,
    long firstPages,
    long leastPages,
    long peakBytes,
    long neededBytes,
    long leastForMappingBytes,
    int headroomFactor,
    long recommendedBytes,
    long barBytes) {
  private static final long PAGE = 4096;
  private static final int OTHER_PAGES = 2;
  private static final int FIRST_PAGES = 1;
  private static final int LEAST_PAGES = 5;
  private static final int SHARE = 8;

  /** Works it out. */
  static PageAnswer of(final DeviceLoad load) {
    final long piece = pages(Rounding.quotient(load.requestBytes(), load.segments()), load);
    final long data = piece * load.segments(); // at most 2^18 pages and one, of 2^10 pieces each
    final int other = load.net() ? 0 : OTHER_PAGES;
    final int table = load.indirect() && load.segments() + other > 1 ? 1 : 0;
    final long each = data + other + table;
    final int entries = load.queueSizeEntries();
    final long ring =
        Rounding.quotient(SplitRingDescriptor.descBytes(entries), PAGE)
            + Rounding.quotient(SplitRingDescriptor.availBytes(entries), PAGE)
            + Rounding.quotient(SplitRingDescriptor.usedBytes(entries), PAGE);
    final long fixed = (FIRST_PAGES + load.rings() * ring + load.receiveBuffers()) * PAGE;
    final long peak = load.requestsInFlight() * each * PAGE; // at most 2^21 times 2^41
    final long least = LEAST_PAGES * PAGE;
    final long largest = SHARE * piece * PAGE;
    final long recommended =
        Rounding.up(Math.max(largest, fixed + RegionSizer.HEADROOM * peak), RegionSizer.MIB);
    return new PageAnswer(
        PAGE,
        data,
        other,
        table,
        each,
        load.net() ? entries : 0,
        ring,
        FIRST_PAGES,
        LEAST_PAGES,
        peak,
        Math.max(least, fixed + peak),
        largest,
        RegionSizer.HEADROOM,
        recommended,
        Rounding.powerOfTwo(recommended));
  }

  /** Pages of one mapping, whose offset in a page is kept as far as the alignment asks. */
  private static long pages(final long bytes, final DeviceLoad load) {
    return Rounding.quotient(bytes + (load.minAlignMask() & (PAGE - 1)), PAGE);
  }
}
