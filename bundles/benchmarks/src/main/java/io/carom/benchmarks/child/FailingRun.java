package io.carom.benchmarks.child;

import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.Lookups;
import io.carom.benchmarks.measure.FailLoop;
import io.carom.benchmarks.measure.Fill;
import io.carom.benchmarks.measure.Stretch;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.Task;
import io.carom.benchmarks.stats.Figure;
import java.util.function.Consumer;

/**
 * Measures maps that fail: the pool is nine tenths full of mappings of random sizes, and there is
 * no run of free slots that would take one of 256 KiB.
 */
final class FailingRun {
  private static final int FILL_PERCENT = 90;
  private static final long SIZE = 256L << 10;
  private static final long WARM_NS = 100_000_000;

  private FailingRun() {}

  static void run(
      final Task task, final long poolBytes, final Team team, final Consumer<Message> sink)
      throws InterruptedException {
    try (BenchDevice device =
        new BenchDevice(task.strategy(), task.extents(), task.copy(), poolBytes, Lookups.DIRECT)) {
      final long buffer = device.machine().buffer(SIZE);
      final Fill fill = new Fill(device.dma(), buffer, poolBytes, task.seed());
      if (!team.call(0, () -> fill.to(FILL_PERCENT, SIZE))) {
        return; // the pool grows: nothing fails
      }
      final FailLoop loop = new FailLoop(device.dma(), buffer, SIZE);
      WarmUp.run(team, Math.min(WARM_NS, 8 * task.unitNs()), loop);
      final double[] rounds = new double[task.rounds()];
      for (int round = 0; round < rounds.length; round++) {
        final Stretch stretch = team.run(task.unitNs(), loop);
        if (stretch.failures() > 0) {
          return; // some found room: the pool is trimmed or grows behind our back
        }
        rounds[round] = stretch.nsPerOperation();
      }
      sink.accept(
          Message.of(
              new SwiotlbReport.Failing(
                  task.strategy(), device.poolBytes(), SIZE, Figure.of(rounds).median())));
    }
  }
}
