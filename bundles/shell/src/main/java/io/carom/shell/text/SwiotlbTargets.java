package io.carom.shell.text;

import io.carom.bench.SwiotlbReport;
import io.carom.bench.SwiotlbReport.Row;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the bounce-buffer strategies were built to reach, beside what was measured. */
final class SwiotlbTargets {
  private static final String MAGAZINE = "swiotlb-magazine";
  private static final String FIXED = "swiotlb-fixed";
  private static final long PAGE = 4096;

  /**
   * A target.
   *
   * @param what what it is about
   * @param wanted what it asks for
   * @param measured what was measured, or null
   * @param met whether that is enough, or null
   */
  record Target(String what, String wanted, @Nullable String measured, @Nullable Boolean met) {}

  private final SwiotlbReport report;
  private final List<Target> targets = new ArrayList<>();

  private SwiotlbTargets(final SwiotlbReport report) {
    this.report = report;
  }

  static List<Target> of(final SwiotlbReport report) {
    final SwiotlbTargets all = new SwiotlbTargets(report);
    all.magazine();
    all.scaling();
    all.failing();
    final Row fixed = all.row(FIXED, PAGE, false);
    all.atMost(FIXED + ", no copy, 4 KiB", fixed == null ? null : fixed.nsPerOp(), 82, "ns");
    all.againstFixed();
    all.lookup();
    all.atMost("heap, for each map and unmap", report.heapBytesPerOp(), 0, "B");
    return all.targets;
  }

  private void magazine() {
    final Row bare = row(MAGAZINE, PAGE, false);
    atMost(MAGAZINE + ", no copy, 4 KiB", bare == null ? null : bare.nsPerOp(), 25, "ns");
    final Row page = row(MAGAZINE, PAGE, true);
    atMost(MAGAZINE + ", TO_DEVICE 4 KiB", page == null ? null : page.nsPerOp(), 45, "ns");
    atMost(MAGAZINE + ", TO_DEVICE 4 KiB", overHot(page), 2.75, "x hot copy");
    for (final long size : new long[] {64 << 10, 256 << 10}) {
      final String what = MAGAZINE + ", TO_DEVICE " + Values.bytes(size);
      atMost(what, overHot(row(MAGAZINE, size, true)), 1.15, "x hot copy");
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
    atLeast(MAGAZINE + ", 2 threads, the worst", least, 0.95, "of the control's ratio");
  }

  private void failing() {
    if (report.failing().isEmpty()) {
      atMost("a failing map", null, 200, "ns");
    }
    for (final SwiotlbReport.Failing each : report.failing()) {
      final String what =
          "a failing map, " + each.strategy() + ", " + Values.bytes(each.poolBytes());
      atMost(what, each.nsPerFailure(), 200, "ns");
    }
  }

  private void againstFixed() {
    for (final SwiotlbReport.AgainstFixed each : report.againstFixed()) {
      final String what = each.strategy() + " against fixed, " + each.case_();
      atLeast(what, each.ratioLow(), 0.97, "at the lower end");
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
    atMost("lookup direct, hot, however many live", most == 0 ? null : most / least, 1.2, "x");
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

  private void atMost(
      final String what, final @Nullable Double value, final double most, final String unit) {
    add(what, "<= " + number(most) + " " + unit, value, value == null ? null : value <= most);
  }

  private void atLeast(
      final String what, final @Nullable Double value, final double least, final String unit) {
    add(what, ">= " + number(least) + " " + unit, value, value == null ? null : value >= least);
  }

  private void add(
      final String what,
      final String wanted,
      final @Nullable Double value,
      final @Nullable Boolean met) {
    targets.add(new Target(what, wanted, value == null ? null : number(value), met));
  }

  private static String number(final double value) {
    return value == Math.rint(value)
        ? String.valueOf((long) value)
        : String.format(Locale.ROOT, "%.2f", value);
  }
}
