package io.carom.shell.text;

import io.carom.bench.IommuReport;
import io.carom.shell.result.IommuBenchResult;
import java.util.Formatter;
import java.util.Locale;

/** The report of the IOMMU strategies as tables: counts first, then times and what they are. */
final class IommuBenchText {
  private static final Columns<IommuReport.Row> COUNTS =
      keys(new Columns<>(), "PER I/O")
          .number("MAP", IommuReport.Row::mapRequestsPerIo)
          .number("UNMAP", IommuReport.Row::unmapRequestsPerIo)
          .number("KICKS", IommuReport.Row::kicksPerIo)
          .number("FLUSHES", IommuReport.Row::flushesPerIo)
          .number("BYTES COPIED", IommuReport.Row::bytesCopiedPerIo)
          .number("PAGES PINNED", IommuReport.Row::pinnedPages)
          .number("POOL", row -> Values.bytes(row.poolBytes()))
          .number("OPEN WINDOW US", IommuReport.Row::openWindowUs);

  private static final Columns<IommuReport.Row> TIMES =
      keys(new Columns<>(), "STRATEGY")
          .number("IOPS", row -> Math.round(row.iops()))
          .number("MIB/S", IommuReport.Row::mibPerSecond)
          .number("MAP NS", IommuReport.Row::mapNsPerIo)
          .number("UNMAP NS", IommuReport.Row::unmapNsPerIo)
          .number("CPU NS", IommuReport.Row::cpuNsPerIo);

  private static final Columns<IommuReport.Hit> HIT =
      new Columns<IommuReport.Hit>()
          .number("WARM 4 KIB HIT, THREADS", IommuReport.Hit::threads)
          .word("COPY", IommuReport.Hit::copy)
          .number("NS/OP", IommuReport.Hit::nsPerOp)
          .number("MIN", IommuReport.Hit::min)
          .number("MAX", IommuReport.Hit::max)
          .number("RATIO", IommuReport.Hit::ratio)
          .number("CONTROL", IommuReport.Hit::controlRatio);

  private static final Columns<IommuReport.Lookup> LOOKUP =
      new Columns<IommuReport.Lookup>()
          .number("LOOKUP, LIVE", IommuReport.Lookup::live)
          .number("HOT NS", IommuReport.Lookup::hotNs)
          .number("RANDOM NS", IommuReport.Lookup::randomNs);

  private static final Columns<IommuReport.BreakEven> BREAK_EVEN =
      new Columns<IommuReport.BreakEven>()
          .word("iommu-pool AHEAD OF", IommuReport.BreakEven::against)
          .word("VARIANT", IommuReport.BreakEven::variant)
          .word("RW", IommuReport.BreakEven::rw)
          .word("FROM", even -> even.bytes() == null ? "never" : Values.bytes(even.bytes()));

  private static final Columns<IommuReport.Published> PUBLISHED =
      new Columns<IommuReport.Published>()
          .number("READS", row -> Values.bytes(row.bsBytes()))
          .number("PUBLISHED RATIO", IommuReport.Published::publishedRatio)
          .number("CALIBRATED", IommuReport.Published::ratio)
          .number("PUBLISHED UNMAP %", IommuReport.Published::publishedUnmapPercent)
          .number("CALIBRATED", IommuReport.Published::unmapPercent);

  private IommuBenchText() {}

  static String text(final IommuBenchResult result) {
    final IommuReport report = result.outcome().report();
    final Formatter out = new Formatter(Locale.ROOT);
    table(out, COUNTS.table(report.rows(), "no rows"));
    out.format("%s\n", IommuText.profile(report.costs()));
    out.format("%s\n\n", clock(report));
    table(out, TIMES.table(report.rows(), "no rows"));
    table(out, BREAK_EVEN.table(report.breakEvenBytes(), "no break-even was worked out"));
    if (!report.published().isEmpty()) {
      table(out, PUBLISHED.table(report.published(), ""));
      out.format(
          "A comparison, not a reproduction: the profile is calibrated to the published unmap"
              + " times,\nand four points fitted with several free parameters prove nothing.\n\n");
    }
    out.format("Real time, no cost profile, copier off:\n");
    table(out, HIT.table(report.hit(), "hits were not measured"));
    table(out, LOOKUP.table(report.lookup(), "lookup was not measured"));
    out.format(
        "pages that an idle domain holds after two ticks: %s\n", Values.text(report.idlePages()));
    result.outcome().problems().forEach(problem -> out.format("PROBLEM  %s\n", problem));
    out.format(
        "medians of %d rounds; JDK %s, %d processors, seed %d",
        report.rounds(), report.jdk(), report.cpus(), report.seed());
    return out.toString();
  }

  private static String clock(final IommuReport report) {
    final String nature = report.costs().calibrated() ? "calibrated" : "modelled";
    return report.virtual()
        ? "virtual clock: all times of I/O below are " + nature + ", none is measured"
        : "real time: what the IOMMU and the device take is " + nature + ", the rest is measured";
  }

  private static Columns<IommuReport.Row> keys(
      final Columns<IommuReport.Row> columns, final String first) {
    return columns
        .word(first, IommuReport.Row::strategy)
        .word("VARIANT", IommuReport.Row::variant)
        .word("RW", IommuReport.Row::rw)
        .number("BLOCK", row -> Values.bytes(row.bsBytes()));
  }

  private static void table(final Formatter out, final String table) {
    out.format("%s\n\n", table);
  }
}
