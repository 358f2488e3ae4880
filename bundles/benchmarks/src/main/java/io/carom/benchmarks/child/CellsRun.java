package io.carom.benchmarks.child;

import io.carom.benchmarks.plan.SwapTask;
import io.carom.benchmarks.storm.Cell;
import java.util.function.Consumer;

/** Measures all cells, one after another. */
final class CellsRun {
  private static final long COLD_NS = 400_000_000;
  private static final long WARM_NS = 30_000_000;

  private final SwapTask task;
  private final Consumer<SwapMessage> sink;
  private boolean cold = true;

  CellsRun(final SwapTask task, final Consumer<SwapMessage> sink) {
    this.task = task;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    for (final int workers : SwapTask.WORKERS) {
      for (final int occupancy : SwapTask.OCCUPANCIES) {
        measure(workers, occupancy);
      }
    }
  }

  private void measure(final int workers, final int occupancy) throws InterruptedException {
    try (Cell cell =
        new Cell(workers, occupancy, task.unitNs() * SwapTask.CELL_UNITS, task.seed())) {
      cell.warmUp(Math.min(cold ? COLD_NS : WARM_NS, SwapTask.CELL_UNITS * task.unitNs() * 2));
      cold = false;
      for (int round = 0; round < task.rounds() || cell.swapCount() < task.swaps(); round++) {
        cell.round(round % 2 == 0);
        sink.accept(SwapMessage.ALIVE);
      }
      sink.accept(SwapMessage.of(cell.report()));
    }
  }
}
