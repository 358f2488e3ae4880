package io.carom.shell.text;

import io.carom.bench.SwiotlbReport;
import io.carom.bench.SwiotlbReport.Row;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/** What the bounce-buffer strategies were built to reach, beside what was measured. */
final class SwiotlbTargets {
  private static final String MAGAZINE = "swiotlb-magazine";
  private static final String FIXED = "swiotlb-fixed";
  private static final long PAGE = 4096;

  private final SwiotlbReport report;
  private final Targets targets = new Targets();

  private SwiotlbTargets(final SwiotlbReport report) {
    this.report = report;
  }

  static Targets of(final SwiotlbReport report) {
    final SwiotlbTargets all = new SwiotlbTargets(report);
    all.magazine();
    all.scaling();
    all.failing();
    final Row fixed = all.row(FIXED, PAGE, false);
    all.targets.atMost(
        FIXED + ", no copy, 4 KiB", fixed == null ? null : fixed.nsPerOp(), 82, "ns");
    all.againstFixed();
    all.lookup();
    all.targets.atMost("heap, for each map and unmap", report.heapBytesPerOp(), 0, "B");
    return all.targets;
  }

  private void magazine() {
    final Row bare = row(MAGAZINE, PAGE, false);
    targets.atMost(MAGAZINE + ", no copy, 4 KiB", bare == null ? null : bare.nsPerOp(), 25, "ns");
    final Row page = row(MAGAZINE, PAGE, true);
    targets.atMost(MAGAZINE + ", TO_DEVICE 4 KiB", page == null ? null : page.nsPerOp(), 45, "ns");
    targets.atMost(MAGAZINE + ", TO_DEVICE 4 KiB", overHot(page), 2.75, "x hot copy");
    for (final long size : new long[] {64 << 10, 256 << 10}) {
      final String what = MAGAZINE + ", TO_DEVICE " + Values.bytes(size);
      targets.atMost(what, overHot(row(MAGAZINE, size, true)), 1.15, "x hot copy");
    }
  }

  private void scaling() {
    Double least = null;
    for (final SwiotlbReport.Scaling each : report.scaling()) {
      if (each.strategy().equals(MAGAZINE)) {
        final double share = each.ratio() / each.controlRatio();
        least = least == null ? share : Math.min(least, share);
      }
    }
    targets.atLeast(MAGAZINE + ", 2 threads, the worst", least, 0.95, "of the control's ratio");
  }

  private void failing() {
    if (report.failing().isEmpty()) {
      targets.atMost("a failing map", null, 200, "ns");
    }
    for (final SwiotlbReport.Failing each : report.failing()) {
      final String what =
          "a failing map, " + each.strategy() + ", " + Values.bytes(each.poolBytes());
      targets.atMost(what, each.nsPerFailure(), 200, "ns");
    }
  }

  private void againstFixed() {
    for (final SwiotlbReport.AgainstFixed each : report.againstFixed()) {
      final String what = each.strategy() + " against fixed, " + each.case_();
      targets.atLeast(what, each.ratioLow(), 0.97, "at the lower end");
    }
  }

  private void lookup() {
    double least = Double.MAX_VALUE;
    double most = 0;
    for (final SwiotlbReport.Lookup each : report.lookup()) {
      if (each.core().equals("direct") && each.hotNs() != null) {
        least = Math.min(least, each.hotNs());
        most = Math.max(most, each.hotNs());
      }
    }
    targets.atMost(
        "lookup direct, hot, however many live", most == 0 ? null : most / least, 1.2, "x");
  }

  private @Nullable Row row(final String strategy, final long size, final boolean copy) {
    for (final Row row : report.rows()) {
      if (row.strategy().equals(strategy)
          && row.extents() == ExtentKind.RAM
          && row.sizeBytes() == size
          && row.copy() == copy
          && row.direction() == DmaDirection.TO_DEVICE
          && row.threads() == 1
          && row.fillPercent() == 0) {
        return row;
      }
    }
    return null;
  }

  private static @Nullable Double overHot(final @Nullable Row row) {
    return row == null || row.nsPerOp() == null || row.nsHotCopy() == null
        ? null
        : row.nsPerOp() / row.nsHotCopy();
  }
}
