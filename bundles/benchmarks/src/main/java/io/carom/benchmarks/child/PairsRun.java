package io.carom.benchmarks.child;

import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.measure.BlockLoop;
import io.carom.benchmarks.measure.Loop;
import io.carom.benchmarks.measure.MapLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.Task;
import io.carom.benchmarks.stats.Interval;
import io.carom.dma.DmaDirection;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.function.LongFunction;

/**
 * Measures a strategy against the fixed one: in one JVM, in pairs of stretches of which now the
 * one, now the other comes first. What the compiler learns from one of them it learns for both.
 */
final class PairsRun {
  private static final String FIXED = "swiotlb-fixed";
  private static final long WARM_NS = 150_000_000;
  private static final long REQUEST_BYTES = 1L << 20;

  private final Task task;
  private final Team team;
  private final Consumer<Message> sink;

  PairsRun(final Task task, final Team team, final Consumer<Message> sink) {
    this.task = task;
    this.team = team;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    try (BenchDevice ours = BenchDevice.of(task.strategy(), task.extents(), task.copy());
        BenchDevice fixed = BenchDevice.of(FIXED, task.extents(), task.copy())) {
      compare("4KiB x 1 thread", maps(ours, 4096, 1), maps(fixed, 4096, 1));
      compare("64KiB x 2 threads", maps(ours, 65_536, 2), maps(fixed, 65_536, 2));
      compare("1MiB block requests", requests(ours), requests(fixed));
    }
  }

  private static Loop[] maps(final BenchDevice device, final long size, final int threads) {
    return loops(
        device,
        size,
        threads,
        address -> new MapLoop(device.dma(), address, size, DmaDirection.TO_DEVICE));
  }

  private static Loop[] requests(final BenchDevice device) {
    return loops(
        device, REQUEST_BYTES, 1, address -> new BlockLoop(device.dma(), address, REQUEST_BYTES));
  }

  private static Loop[] loops(
      final BenchDevice device,
      final long size,
      final int threads,
      final LongFunction<Loop> maker) {
    final Loop[] loops = new Loop[threads];
    Arrays.setAll(loops, thread -> maker.apply(device.machine().buffer(size)));
    return loops;
  }

  private void compare(final String what, final Loop[] ours, final Loop[] fixed)
      throws InterruptedException {
    final long warm = Math.min(WARM_NS, 8 * task.unitNs());
    WarmUp.run(team, warm, ours);
    WarmUp.run(team, warm, fixed);
    final Rounds mine = new Rounds();
    final Rounds theirs = new Rounds();
    for (int pair = 0; pair < task.pairs(); pair++) {
      final boolean first = pair % 2 == 0;
      if (first) {
        mine.add(team.run(task.unitNs(), ours));
      }
      theirs.add(team.run(task.unitNs(), fixed));
      if (!first) {
        mine.add(team.run(task.unitNs(), ours));
      }
    }
    final double[] ratios = mine.over(theirs);
    if (ratios == null) {
      throw new IllegalStateException(
          task.strategy() + ", " + what + ": a whole round of maps failed");
    }
    final Interval interval = Interval.of(ratios);
    sink.accept(
        Message.of(
            new SwiotlbReport.AgainstFixed(
                task.strategy(), what, interval.median(), interval.low(), interval.high())));
  }
}
