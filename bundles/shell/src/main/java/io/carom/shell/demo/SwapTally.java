package io.carom.shell.demo;

import io.carom.dma.SwapReport;

/** Counts swaps of several threads. */
final class SwapTally {
  private long count;
  private long refused;
  private double maxGraceUs;
  private double maxDrainMs;

  synchronized void finished(final SwapReport report) {
    count++;
    maxGraceUs = Math.max(maxGraceUs, report.graceUs());
    maxDrainMs = Math.max(maxDrainMs, report.drainMs());
  }

  synchronized void refused() {
    refused++;
  }

  synchronized DemoReport.Swaps with(
      final long failedMaps,
      final long verifiedBytes,
      final long corruptBlocks,
      final long lostRequests) {
    return new DemoReport.Swaps(
        count,
        refused,
        failedMaps,
        verifiedBytes,
        corruptBlocks,
        lostRequests,
        maxGraceUs,
        maxDrainMs);
  }
}
