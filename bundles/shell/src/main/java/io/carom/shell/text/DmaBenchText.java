package io.carom.shell.text;

import io.carom.guest.DmaBenchResult;
import java.util.Formatter;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The benchmark's result in the three lines of the kernel's tool, and what is measured besides. */
final class DmaBenchText {
  private record Row(
      String what,
      @Nullable Double average,
      @Nullable Long p50,
      @Nullable Long p90,
      @Nullable Long p99,
      @Nullable Long p999,
      @Nullable Long slowest) {}

  private static final Columns<Row> ROWS =
      new Columns<Row>()
          .word("NS", Row::what)
          .number("AVERAGE", Row::average)
          .number("P50", Row::p50)
          .number("P90", Row::p90)
          .number("P99", Row::p99)
          .number("P99.9", Row::p999)
          .number("MAX", Row::slowest);

  private DmaBenchText() {}

  static String text(final DmaBenchResult r) {
    final Formatter out = new Formatter(Locale.ROOT);
    out.format(
        "dma mapping benchmark(%s): threads:%d seconds:%d node:%d dir:%s granule:%d\n",
        r.mode(), r.threads(), Math.round(r.seconds()), r.node(), r.direction(), r.granule());
    out.format(
        "average map latency(us):%.1f standard deviation:%.1f\n", r.mapAvgUs(), r.mapStddevUs());
    out.format(
        "average unmap latency(us):%.1f standard deviation:%.1f",
        r.unmapAvgUs(), r.unmapStddevUs());
    if (r.mapAvgNs() != null) {
      out.format(
          "\n%s\n%d maps; each figure contains about %s ns of reading the clock",
          ROWS.table(rows(r), ""), r.loops(), Values.text(r.clockNs()));
    }
    return out.toString();
  }

  private static List<Row> rows(final DmaBenchResult r) {
    return List.of(
        new Row(
            "map",
            r.mapAvgNs(),
            r.mapP50Ns(),
            r.mapP90Ns(),
            r.mapP99Ns(),
            r.mapP999Ns(),
            r.mapMaxNs()),
        new Row(
            "unmap",
            r.unmapAvgNs(),
            r.unmapP50Ns(),
            r.unmapP90Ns(),
            r.unmapP99Ns(),
            r.unmapP999Ns(),
            r.unmapMaxNs()));
  }
}
