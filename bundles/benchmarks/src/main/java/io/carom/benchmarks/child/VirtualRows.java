package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.guest.IoMachine;
import io.carom.benchmarks.guest.IoSpec;
import io.carom.benchmarks.guest.Profiles;
import io.carom.benchmarks.io.Job;
import io.carom.benchmarks.io.Jobs;
import io.carom.benchmarks.io.VirtualTime;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.plan.IommuPlan;
import io.carom.benchmarks.plan.IommuTask;
import java.util.function.Consumer;

/**
 * Models rows on a virtual clock, each on a machine of its own, and what happens when nothing is in
 * flight any more: queued invalidations are carried out, and pools give their pages back.
 */
final class VirtualRows {
  private static final long WARM_IOS = 2 * Jobs.DEPTH;

  /** At least one ring of 256 queued invalidations of each small size is filled by so many. */
  private static final long IOS = 5 * Jobs.DEPTH;

  private static final long SECOND = 1_000_000_000;

  /** Longer than the longest delay of an invalidation, a second, and the core's ticks. */
  private static final long FLUSHED_NS = SECOND + SECOND / 10;

  private static final String LAZY = "iommu-lazy";

  /** Longer than two ticks of the pool's eviction, 5 s each, and the core's ticks. */
  private static final long EVICTED_NS = 12 * SECOND;

  private final IommuTask task;
  private final Consumer<IommuMessage> sink;
  private boolean idled;

  VirtualRows(final IommuTask task, final Consumer<IommuMessage> sink) {
    this.task = task;
    this.sink = sink;
  }

  void run() {
    for (final IoCase row : task.cases()) {
      model(row);
      // The machine's memory is given back when it is found to be unreachable.
      System.gc();
    }
  }

  private void model(final IoCase row) {
    final VirtualTime time = new VirtualTime();
    final IoSpec spec =
        new IoSpec(
            row.strategy(),
            row.variant(),
            Profiles.of(task.profile()),
            true,
            RealRow.RAM_BYTES,
            0,
            time);
    try (IoMachine machine = new IoMachine(spec);
        Job job = machine.jobs().virtual(time, row.write(), row.bsBytes(), task.seed())) {
      job.verify(task.seed());
      job.run(WARM_IOS, Long.MAX_VALUE);
      final RowTally tally = new RowTally(row, machine);
      tally.add(job.run(IOS, Long.MAX_VALUE));
      final IommuReport.Row result = tally.row();
      if (row.strategy().equals(LAZY)) {
        time.advance(FLUSHED_NS);
      }
      sink.accept(IommuMessage.of(result.withOpenWindowUs(machine.openWindowUs())));
      if (row.strategy().equals(IommuPlan.POOL) && !idled) {
        idled = true;
        time.advance(EVICTED_NS);
        sink.accept(IommuMessage.ofIdle(machine.pagesHeld()));
      }
    }
  }
}
