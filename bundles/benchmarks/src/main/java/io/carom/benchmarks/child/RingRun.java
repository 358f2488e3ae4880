package io.carom.benchmarks.child;

import io.carom.bench.VirtioReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.RingCase;
import io.carom.benchmarks.guest.RingPair;
import io.carom.benchmarks.measure.Loop;
import io.carom.benchmarks.measure.Stretch;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.ThreadHeap;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.VirtioTask;
import io.carom.benchmarks.stats.Figure;
import java.util.List;
import java.util.function.Consumer;

/** Measures rings of one layout by themselves: one thread and two, all kinds of chains. */
final class RingRun {
  private static final int[] CHAINS = {1, 3};
  private static final int[] BATCHES = {1, 32};
  private static final boolean[] INDIRECT = {false, true};
  private static final long COLD_NS = 400_000_000;
  private static final long WARM_NS = 60_000_000;

  private final VirtioTask task;
  private final Consumer<VirtioMessage> sink;
  private boolean cold = true;
  private int rings;

  RingRun(final VirtioTask task, final Consumer<VirtioMessage> sink) {
    this.task = task;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    try (BenchDevice owner = BenchDevice.of(BenchDevice.DIRECT, null, true);
        Team team = new Team()) {
      for (int threads = 1; threads <= Team.THREADS; threads++) {
        cold = true;
        for (final int chain : CHAINS) {
          for (final boolean indirect : INDIRECT) {
            for (final int batch : BATCHES) {
              measure(owner, team, new RingCase(task.layout(), chain, indirect, batch), threads);
            }
          }
        }
      }
    }
  }

  private void measure(
      final BenchDevice owner, final Team team, final RingCase what, final int threads)
      throws InterruptedException {
    try (RingPair pair = new RingPair(owner, rings++, what)) {
      final boolean alone = threads == 1;
      if (!alone) {
        pair.startDevice();
      }
      try {
        final Loop loop = alone ? pair.turns() : pair.driver();
        WarmUp.run(team, cold ? COLD_NS : WARM_NS, loop);
        cold = false;
        final ThreadHeap heap = new ThreadHeap(List.of(Team.THREAD + 0, RingPair.DEVICE_THREAD));
        final double[] ns = new double[task.rounds()];
        double least = Double.MAX_VALUE;
        for (int round = 0; round < task.rounds(); round++) {
          final long before = heap.bytes();
          final Stretch stretch = team.run(task.unitNs(), loop);
          ns[round] = stretch.nsPerOperation();
          // what is allocated for every chain is so in every round; what a round begins with is not
          least = Math.min(least, (double) (heap.bytes() - before) / stretch.operations());
        }
        final Figure figure = Figure.of(ns);
        sink.accept(
            VirtioMessage.of(
                new VirtioReport.Ring(
                    what.layout(),
                    what.chain(),
                    what.indirect(),
                    what.batch(),
                    threads,
                    figure.median(),
                    figure.min(),
                    figure.max(),
                    1e9 / figure.median(),
                    Math.floor(least))));
      } finally {
        pair.stopDevice();
      }
    }
  }
}
