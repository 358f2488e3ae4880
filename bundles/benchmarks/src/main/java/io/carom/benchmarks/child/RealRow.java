package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.guest.IoMachine;
import io.carom.benchmarks.guest.IoSpec;
import io.carom.benchmarks.guest.Profiles;
import io.carom.benchmarks.io.Job;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.plan.IommuTask;

/** Measures a row in real time, on a machine of its own. */
final class RealRow {
  /** RAM of machines for I/O. */
  static final long RAM_BYTES = 4L << 30;

  private RealRow() {}

  static IommuReport.Row measure(final IommuTask task, final IoCase row, final boolean cold) {
    final IoSpec spec =
        new IoSpec(
            row.strategy(), row.variant(), Profiles.of(task.profile()), true, RAM_BYTES, 0, null);
    try (IoMachine machine = new IoMachine(spec);
        Job job = machine.jobs().real(row.write(), row.bsBytes(), task.seed())) {
      job.verify(task.seed());
      job.run(Long.MAX_VALUE, 2 * task.unitNs() + (cold ? IommuTask.WARM_NS : 0));
      final RowTally tally = new RowTally(row, machine);
      for (int round = 0; round < task.rounds(); round++) {
        tally.add(job.run(Long.MAX_VALUE, task.unitNs()));
      }
      final IommuReport.Row result = tally.row();
      job.verify(task.seed() + 1);
      return result;
    }
  }
}
