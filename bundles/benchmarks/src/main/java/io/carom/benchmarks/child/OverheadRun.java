package io.carom.benchmarks.child;

import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.measure.CpuTime;
import io.carom.benchmarks.measure.DirectLoop;
import io.carom.benchmarks.measure.Loop;
import io.carom.benchmarks.measure.MapLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.SwapTask;
import io.carom.benchmarks.stats.Figure;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.function.Consumer;

/**
 * Measures what the core adds to a strategy: a map and its unmap through the DMA API, and by
 * calling the same strategy directly, in pairs of stretches of which now the one, now the other
 * comes first. Bytes are not moved, so that only what differs is timed.
 */
final class OverheadRun {
  private static final String STRATEGY = "swiotlb-fixed";
  private static final long SIZE = 4096;
  private static final long WARM_NS = 400_000_000;

  private final SwapTask task;
  private final Consumer<SwapMessage> sink;

  OverheadRun(final SwapTask task, final Consumer<SwapMessage> sink) {
    this.task = task;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    try (BenchDevice device = BenchDevice.of(STRATEGY, ExtentKind.DEVICE, false);
        Team team = new Team()) {
      final long address = device.machine().buffer(SIZE);
      final Loop core = new MapLoop(device.dma(), address, SIZE, DmaDirection.TO_DEVICE);
      final Loop direct = new DirectLoop(STRATEGY, BenchDevice.POOL_BYTES, address, SIZE);
      final long warm = Math.min(WARM_NS, 20 * task.unitNs());
      WarmUp.run(team, warm, core);
      WarmUp.run(team, warm, direct);
      final double[] added = new double[task.rounds()];
      for (int pair = 0; pair < added.length; pair++) {
        final boolean first = pair % 2 == 0;
        final double one = ns(team, first ? core : direct);
        final double other = ns(team, first ? direct : core);
        added[pair] = first ? one - other : other - one;
      }
      sink.accept(SwapMessage.ofCost(Figure.of(added).median()));
    }
  }

  private double ns(final Team team, final Loop loop) throws InterruptedException {
    final double ns = team.call(0, () -> CpuTime.nsPerOperation(loop, task.unitNs()));
    if (Double.isNaN(ns)) {
      throw new IllegalStateException(STRATEGY + ": no map succeeds in an empty pool");
    }
    return ns;
  }
}
