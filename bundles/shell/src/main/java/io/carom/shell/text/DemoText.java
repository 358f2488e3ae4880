package io.carom.shell.text;

import io.carom.shell.demo.DemoReport;
import java.util.Formatter;
import java.util.Locale;

/** The demo's report as one page. */
final class DemoText {
  private static final int SUM_CHARS = 16;

  private static final Columns<DemoReport.Run> RUNS =
      new Columns<DemoReport.Run>()
          .word("DEVICE", DemoReport.Run::device)
          .word("POLICY", DemoReport.Run::policy)
          .word("STRATEGY", DemoReport.Run::strategy)
          .word("EXTENTS", DemoReport.Run::extents)
          .word("BACKEND", DemoReport.Run::backend)
          .word("RW", DemoReport.Run::rw)
          .number("IOPS", run -> Math.round(run.iops()))
          .number("P50 US", DemoReport.Run::p50Us)
          .number("P99 US", DemoReport.Run::p99Us)
          .number("VERIFIED", run -> run.verify() ? Values.bytes(run.verifiedBytes()) : null)
          .number("CORRUPT", run -> run.verify() ? run.corruptBlocks() : null)
          .number("LOST", DemoReport.Run::lostRequests)
          .number("FAILED", DemoReport.Run::failedMaps)
          .number("TO SYSTEM", DemoReport.Run::systemMemoryAccesses)
          .number("TO REGION", DemoReport.Run::ownRegionAccesses);

  private DemoText() {}

  static String text(final DemoReport report) {
    final Formatter out = new Formatter(Locale.ROOT);
    report.disk().devices().forEach(sum -> whole(out, sum));
    out.format("\n%s\n\n", RUNS.table(report.runs(), "no runs"));
    if (report.swiotlbDeviceRatio() != null) {
      out.format(
          "price    swiotlb-device reaches %.2f of direct's IOPS in memory, median of %d rounds\n",
          report.swiotlbDeviceRatio(), report.rounds());
    }
    final DemoReport.Swaps swaps = report.swaps();
    out.format(
        "swaps    %d under load, %d refused; %s verified, %d corrupt, %d lost, %d failed maps; "
            + "grace at most %.0f us, drain at most %.1f ms\n",
        swaps.count(),
        swaps.refused(),
        Values.bytes(swaps.verifiedBytes()),
        swaps.corruptBlocks(),
        swaps.lostRequests(),
        swaps.failedMaps(),
        swaps.maxGraceUs(),
        swaps.maxDrainMs());
    final DemoReport.Restart restart = report.restart();
    out.format(
        "restart  strategies away for %.0f ms under load; longest pause %.0f ms, %d maps without "
            + "strategy, %d corrupt, %d lost\n",
        restart.absentMs(),
        restart.pauseMs(),
        restart.noStrategyMaps(),
        restart.corruptBlocks(),
        restart.lostRequests());
    report.problems().forEach(problem -> out.format("PROBLEM  %s\n", problem));
    out.format(
        "result   %s\n",
        report.ok() ? "OK: every byte was right and no request was lost" : "FAILED");
    return out.toString().stripTrailing();
  }

  private static void whole(final Formatter out, final DemoReport.DeviceSum sum) {
    final boolean equal = sum.sha256Host().equals(sum.sha256Guest());
    out.format(
        "disk     %s (%s), %s read through the guest: SHA-256 %s... %s\n",
        sum.device(),
        Values.text(sum.policy()),
        Values.bytes(sum.bytes()),
        sum.sha256Guest().substring(0, Math.min(SUM_CHARS, sum.sha256Guest().length())),
        equal ? "equals the file's" : "DIFFERS from the file's");
  }
}
