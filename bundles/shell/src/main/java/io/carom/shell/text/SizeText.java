package io.carom.shell.text;

import io.carom.shell.sizing.PageAnswer;
import io.carom.shell.sizing.RegionSize;
import io.carom.shell.sizing.SlotAnswer;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;

/** How much of a region a device needs, each term explained. */
final class SizeText {
  private SizeText() {}

  static String text(final RegionSize size) {
    final Formatter out = new Formatter(Locale.ROOT);
    out.format(
        "%d %s of %d entries, %d %s of at most %s in flight on each: %d in flight\n",
        size.queues(),
        size.net() ? "queue pair(s)" : "queue(s)",
        size.queueSizeEntries(),
        size.depth(),
        size.net() ? "packet(s)" : "request(s)",
        Values.bytes(size.requestBytes()),
        size.requestsInFlight());
    out.format("\nSlots of 2 KiB, as Linux's swiotlb\n%s\n", slots(size, size.slots()));
    out.format("\nPages of 4 KiB, as a driver of VIRTIO_F_DMB\n%s", pages(size, size.pages()));
    return out.toString();
  }

  private static String slots(final RegionSize size, final SlotAnswer a) {
    final Table table = new Table(List.of(false, true, false));
    row(
        table,
        "largest mapping",
        Values.bytes(a.largestMappingBytes()),
        "one slot set of 256 KiB, less min_align_mask in whole slots; larger requests are split");
    row(table, "mappings per request", a.mappingsPerRequest(), "the largest request, split so");
    row(
        table,
        "alignment loss",
        Values.bytes(a.alignLossBytes()),
        "at most, in the first slot of a mapping: its buffer's low address bits are kept");
    row(table, "slots per mapping", a.slotsPerMapping(), "data and alignment loss in whole slots");
    row(
        table,
        "stride",
        a.strideSlots(),
        "slots: where a mapping may begin, for " + stride(size.minAlignBytes(), a));
    row(table, "mappings per slot set", a.mappingsPerSet(), "a mapping never crosses a slot set");
    row(
        table,
        "peak",
        a.peakSets(),
        "slot sets, "
            + Values.bytes(a.peakBytes())
            + ": all in flight"
            + (size.net() ? ", and full receive queues" : ""));
    row(
        table,
        "coherent reserve",
        Values.bytes(a.reserveBytes()),
        "rings, request headers, status and indirect tables of all queues, in whole slot sets");
    row(table, "needed", Values.bytes(a.neededBytes()), "reserve and peak, with no hole anywhere");
    row(
        table,
        "recommended",
        Values.bytes(a.recommendedBytes()),
        "regionBytes="
            + a.recommendedBytes()
            + ": reserve and "
            + a.headroomFactor()
            + "x the peak, in MiB; its BAR takes "
            + Values.bytes(a.barBytes()));
    return table.text();
  }

  private static String stride(final long minAlignBytes, final SlotAnswer a) {
    if (minAlignBytes > 1) {
      return "min_align_mask 0x" + Long.toHexString(minAlignBytes - 1);
    }
    return a.strideSlots() > 1 ? "page alignment from 4 KiB up" : "no alignment";
  }

  private static String pages(final RegionSize size, final PageAnswer a) {
    final Table table = new Table(List.of(false, true, false));
    row(table, "data", a.dataPagesPerRequest(), "pages per request: " + data(size));
    row(
        table,
        "header, status",
        a.otherPagesPerRequest(),
        size.net()
            ? "pages per packet: its header is a piece of it"
            : "pages per request: each has one to itself");
    row(
        table,
        "indirect table",
        a.tablePagesPerRequest(),
        size.indirect() ? "pages per request of several buffers" : "pages: there are none");
    if (size.net()) {
      row(
          table,
          "receive buffers",
          a.receivePagesPerQueue(),
          "pages per receive queue: it is full of mergeable buffers, a page each");
    }
    row(table, "rings", a.ringPagesPerQueue(), "pages per queue: its three ring areas");
    row(table, "first page", a.firstPages(), "page: offset 0 is reserved");
    row(table, "peak", Values.bytes(a.peakBytes()), "all in flight");
    row(
        table,
        "needed",
        Values.bytes(a.neededBytes()),
        "first page, rings"
            + (size.net() ? ", receive buffers" : "")
            + " and peak; at least "
            + a.leastPages()
            + " pages");
    row(
        table,
        "least for one mapping",
        Values.bytes(a.leastForMappingBytes()),
        "a mapping takes an eighth of the region at most");
    row(
        table,
        "recommended",
        Values.bytes(a.recommendedBytes()),
        a.recommendedBytes()
            + " bytes: first page, rings"
            + (size.net() ? ", receive buffers" : "")
            + " and "
            + a.headroomFactor()
            + "x the peak, in MiB; its BAR takes "
            + Values.bytes(a.barBytes()));
    return table.text();
  }

  private static String data(final RegionSize size) {
    final String bytes = size.segments() == 1 ? "its bytes" : size.segments() + " pieces, of each";
    return size.minAlignBytes() > 1
        ? bytes + (size.segments() == 1 ? ", and its" : " its bytes and") + " offset in a page"
        : bytes + (size.segments() == 1 ? " in whole pages" : " the whole pages");
  }

  private static void row(
      final Table table, final String term, final Object value, final String why) {
    table.row(List.of("  " + term, String.valueOf(value), why));
  }
}
