package io.carom.shell.text;

import io.carom.bench.SwiotlbOutcome;
import io.carom.bench.SwiotlbReport;
import io.carom.shell.result.BenchResult;
import java.util.Formatter;
import java.util.Locale;

/** A benchmark's report as tables, the targets last. */
final class BenchText {
  private static final Columns<SwiotlbReport.Row> ROWS =
      new Columns<SwiotlbReport.Row>()
          .word("STRATEGY", SwiotlbReport.Row::strategy)
          .word("EXTENTS", SwiotlbReport.Row::extents)
          .number("SIZE", row -> Values.bytes(row.sizeBytes()))
          .word("DIRECTION", row -> row.direction().name())
          .word("COPY", SwiotlbReport.Row::copy)
          .number("THREADS", SwiotlbReport.Row::threads)
          .number("FILL %", SwiotlbReport.Row::fillPercent)
          .number("NS/OP", SwiotlbReport.Row::nsPerOp)
          .number("MIN", SwiotlbReport.Row::min)
          .number("MAX", SwiotlbReport.Row::max)
          .number("HOT COPY", SwiotlbReport.Row::nsHotCopy)
          .number("SAME COPY", SwiotlbReport.Row::nsSameAddressCopy)
          .number("FAILED", SwiotlbReport.Row::failures);

  private static final Columns<SwiotlbReport.Scaling> SCALING =
      new Columns<SwiotlbReport.Scaling>()
          .word("1 -> 2 THREADS", SwiotlbReport.Scaling::strategy)
          .number("SIZE", row -> Values.bytes(row.sizeBytes()))
          .word("COPY", SwiotlbReport.Scaling::copy)
          .number("RATIO", SwiotlbReport.Scaling::ratio)
          .number("CONTROL", SwiotlbReport.Scaling::controlRatio);

  private static final Columns<SwiotlbReport.Failing> FAILING =
      new Columns<SwiotlbReport.Failing>()
          .word("FAILING MAPS", SwiotlbReport.Failing::strategy)
          .number("POOL", row -> Values.bytes(row.poolBytes()))
          .number("SIZE", row -> Values.bytes(row.sizeBytes()))
          .number("NS", SwiotlbReport.Failing::nsPerFailure);

  private static final Columns<SwiotlbReport.Lookup> LOOKUP =
      new Columns<SwiotlbReport.Lookup>()
          .word("LOOKUP", SwiotlbReport.Lookup::core)
          .number("LIVE", SwiotlbReport.Lookup::live)
          .number("HOT NS", SwiotlbReport.Lookup::hotNs)
          .number("RANDOM NS", SwiotlbReport.Lookup::randomNs);

  private static final Columns<SwiotlbReport.AgainstFixed> AGAINST =
      new Columns<SwiotlbReport.AgainstFixed>()
          .word("AGAINST FIXED", SwiotlbReport.AgainstFixed::strategy)
          .word("CASE", SwiotlbReport.AgainstFixed::case_)
          .number("RATIO", SwiotlbReport.AgainstFixed::ratio)
          .number("LOW", SwiotlbReport.AgainstFixed::ratioLow)
          .number("HIGH", SwiotlbReport.AgainstFixed::ratioHigh);

  private BenchText() {}

  static String text(final BenchResult result) {
    final SwiotlbOutcome outcome = result.outcome();
    final SwiotlbReport report = outcome.report();
    final Formatter out = new Formatter(Locale.ROOT);
    table(out, ROWS.table(report.rows(), "no rows"));
    table(out, SCALING.table(report.scaling(), "scaling was not measured"));
    table(out, FAILING.table(report.failing(), "failing maps were not measured"));
    table(out, LOOKUP.table(report.lookup(), "lookup was not measured"));
    table(out, AGAINST.table(report.againstFixed(), "nothing was compared with swiotlb-fixed"));
    table(out, SwiotlbTargets.of(report).table());
    outcome.problems().forEach(problem -> out.format("PROBLEM  %s\n", problem));
    out.format(
        "medians of %d rounds; JDK %s, %d processors, seed %d",
        report.rounds(), report.jdk(), report.cpus(), report.seed());
    return out.toString();
  }

  private static void table(final Formatter out, final String table) {
    out.format("%s\n\n", table);
  }
}
