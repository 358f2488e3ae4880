package io.carom.shell.text;

import io.carom.bench.VirtioReport;
import io.carom.bench.VirtioReport.Blk;
import io.carom.bench.VirtioReport.Ring;
import io.carom.shell.result.VirtioBenchResult;
import java.util.Formatter;
import java.util.Locale;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The report of virtqueues and block devices as tables, the targets last. */
final class VirtioBenchText {
  private static final String DEVICE = "swiotlb-device";
  private static final int DEEP = 32;
  private static final double RING_NS = 40;
  private static final double THREADS_NS = 150;
  private static final double LEAST_RATIO = 0.9;
  private static final double BESIDE_COPIES_NS = 60;

  private static final Columns<Ring> RINGS =
      new Columns<Ring>()
          .word("RING", Ring::layout)
          .number("CHAIN", Ring::chain)
          .word("INDIRECT", Ring::indirect)
          .number("BATCH", Ring::batch)
          .number("THREADS", Ring::threads)
          .number("NS/CHAIN", Ring::nsPerChain)
          .number("MIN", Ring::min)
          .number("MAX", Ring::max)
          .number("CHAINS/S", row -> Math.round(row.chainsPerSecond()))
          .number("HEAP B", Ring::heapBytesPerChain);

  private static final Columns<Blk> DISKS =
      new Columns<Blk>()
          .word("4 KIB RANDREAD", Blk::strategy)
          .word("EXTENTS", Blk::extents)
          .number("DEPTH", Blk::iodepth)
          .number("IOPS", row -> Math.round(row.iops()))
          .number("MIN", row -> Math.round(row.min()))
          .number("MAX", row -> Math.round(row.max()))
          .number("P99 US", Blk::p99Us)
          .number("ADDED NS", Blk::addedNsPerRequest)
          .number("OF DIRECT", Blk::ratio)
          .number("HEAP B", Blk::heapBytesPerRequest);

  private VirtioBenchText() {}

  static String text(final VirtioBenchResult result) {
    final VirtioReport report = result.outcome().report();
    final Formatter out = new Formatter(Locale.ROOT);
    out.format("%s\n\n", RINGS.table(report.ring(), "rings were not measured"));
    out.format("%s\n\n", DISKS.table(report.blk(), "disks were not measured"));
    out.format(
        "a hot copy of 4 KiB: %s ns; what is added and the ratio: against direct in the same"
            + " round\n\n",
        Values.text(report.nsHotCopy()));
    out.format("%s\n\n", targets(report).table());
    result.outcome().problems().forEach(problem -> out.format("PROBLEM  %s\n", problem));
    out.format(
        "medians of %d rounds; JDK %s, %d processors, seed %d",
        report.rounds(), report.jdk(), report.cpus(), report.seed());
    return out.toString();
  }

  private static Targets targets(final VirtioReport report) {
    final Targets targets = new Targets();
    for (final String layout : new String[] {"split", "packed"}) {
      final Ring alone = ring(report, layout, DEEP, 1);
      final Ring two = ring(report, layout, 1, 2);
      targets.atMost(
          layout + " ring, 1 thread, chain 1, batch 32", ns(alone), RING_NS, "ns per chain");
      targets.atMost(
          layout + " ring, 2 threads, chain 1, batch 1", ns(two), THREADS_NS, "ns per chain");
    }
    final Blk deep = disk(report);
    targets.atLeast(
        DEVICE + ", depth 32", deep == null ? null : deep.ratio(), LEAST_RATIO, "of direct's IOPS");
    final Double copy = report.nsHotCopy();
    targets.atMost(
        DEVICE + ", depth 32, added",
        deep == null ? null : deep.addedNsPerRequest(),
        copy == null ? BESIDE_COPIES_NS : 2 * copy + BESIDE_COPIES_NS,
        "ns: two hot copies and 60");
    targets.atMost(
        "heap, for each chain",
        report.ring().stream()
            .map(Ring::heapBytesPerChain)
            .filter(Objects::nonNull)
            .max(Double::compare)
            .orElse(null),
        0,
        "B");
    targets.atMost("heap, for each request", report.heapBytesPerRequest(), 0, "B");
    return targets;
  }

  private static @Nullable Double ns(final @Nullable Ring ring) {
    return ring == null ? null : ring.nsPerChain();
  }

  private static @Nullable Ring ring(
      final VirtioReport report, final String layout, final int batch, final int threads) {
    final Predicate<Ring> wanted =
        row ->
            row.layout().equals(layout)
                && row.chain() == 1
                && !row.indirect()
                && row.batch() == batch
                && row.threads() == threads;
    return report.ring().stream().filter(wanted).findFirst().orElse(null);
  }

  private static @Nullable Blk disk(final VirtioReport report) {
    return report.blk().stream()
        .filter(row -> row.strategy().equals(DEVICE) && row.iodepth() == DEEP)
        .findFirst()
        .orElse(null);
  }
}
