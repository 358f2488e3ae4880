package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.guest.IoMachine;
import io.carom.benchmarks.io.IoStretch;
import io.carom.benchmarks.io.Jobs;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.stats.Figure;
import io.carom.iommu.IommuCounters;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Makes a row of stretches, and of what was counted from the first to the last of them. */
final class RowTally {
  private static final double NS_PER_SECOND = 1e9;
  private static final double MIB = 1 << 20;

  private final IoCase row;
  private final IoMachine machine;
  private final IommuCounters before;
  private final long copiedBefore;
  private final List<IoStretch> stretches = new ArrayList<>();

  /** Counts from now on. */
  RowTally(final IoCase row, final IoMachine machine) {
    this.row = row;
    this.machine = machine;
    before = machine.counters();
    copiedBefore = machine.copiedBytes();
  }

  void add(final IoStretch stretch) {
    if (stretch.ios() == 0) {
      throw new IllegalStateException(row.title() + " " + row.rw() + ": no request was finished");
    }
    stretches.add(stretch);
  }

  /** The row, as of now. */
  IommuReport.Row row() {
    final IommuCounters now = machine.counters();
    final long ios = stretches.stream().mapToLong(IoStretch::ios).sum();
    final double iops = median(stretch -> stretch.ios() * NS_PER_SECOND / stretch.ns());
    return new IommuReport.Row(
        row.strategy(),
        row.variant(),
        row.rw(),
        row.bsBytes(),
        Jobs.DEPTH,
        iops,
        iops * row.bsBytes() / MIB,
        median(stretch -> (double) stretch.mapNs() / stretch.ios()),
        median(stretch -> (double) stretch.unmapNs() / stretch.ios()),
        (double) (now.maps() - before.maps()) / ios,
        (double) (now.unmaps() - before.unmaps()) / ios,
        (double) (now.kicks() - before.kicks()) / ios,
        (double) (now.flushes() - before.flushes()) / ios,
        (double) (machine.copiedBytes() - copiedBefore) / ios,
        median(stretch -> (double) stretch.cpuNs() / stretch.ios()),
        machine.poolBytes(),
        null,
        now.peakPages());
  }

  private double median(final ToDoubleFunction<IoStretch> figure) {
    return Figure.of(stretches.stream().mapToDouble(figure).toArray()).median();
  }
}
