package io.carom.shell.text;

import io.carom.shell.result.FioReport;
import java.util.Formatter;
import java.util.Locale;

/** A workload's result in fio's words. */
final class FioText {
  private static final double MIB = 1024 * 1024;
  private static final double MB = 1e6;

  private FioText() {}

  static String text(final FioReport r) {
    final Formatter out = new Formatter(Locale.ROOT);
    out.format(
        "%s: rw=%s, bs=%s, iodepth=%d, numjobs=%d, strategy=%s%s, seed=%d\n",
        r.device(),
        r.rw(),
        Values.bytes(r.bsBytes()),
        r.iodepth(),
        r.numjobs(),
        Values.text(r.strategy()),
        r.extents() == null ? "" : " (extents=" + r.extents() + ")",
        r.seed());
    final double moved = r.requests() * (double) r.bsBytes();
    out.format(
        "  %s: IOPS=%s, BW=%.1fMiB/s (%.1fMB/s)(%.0fMiB/%dmsec)\n",
        kind(r.rw()),
        iops(r.iops()),
        r.mibPerSecond(),
        r.mibPerSecond() * MIB / MB,
        moved / MIB,
        r.runtimeMs());
    out.format(
        "    lat (usec): 50.00th=[%.1f], 90.00th=[%.1f], 99.00th=[%.1f], 99.90th=[%.1f],"
            + " max=[%.1f]\n",
        r.p50Us(), r.p90Us(), r.p99Us(), r.p999Us(), r.maxUs());
    out.format(
        "  verify: %s, %d corrupt blocks; %d lost requests, %d requeues, longest pause %.1f ms\n",
        r.verify() ? Values.bytes(r.verifiedBytes()) + " right" : "none",
        r.corruptBlocks(),
        r.lostRequests(),
        r.requeues(),
        r.maxPauseMs());
    if (r.reachableBuffers() + r.fallbackBuffers() > 0) {
      out.format(
          "  iomem: %d buffers reachable, %d in ordinary pages\n",
          r.reachableBuffers(), r.fallbackBuffers());
    }
    if (r.firstCorruption() != null) {
      out.format("  first corruption: %s\n", r.firstCorruption());
    }
    return out.toString().stripTrailing();
  }

  private static String kind(final String rw) {
    return switch (rw) {
      case "randread" -> "read";
      case "randwrite" -> "write";
      case "randtrim" -> "trim";
      case "randrw" -> "read+write";
      default -> rw;
    };
  }

  private static String iops(final double iops) {
    return iops < 10_000
        ? String.format(Locale.ROOT, "%.0f", iops)
        : String.format(Locale.ROOT, "%.1fk", iops / 1000);
  }
}
