package io.carom.benchmarks.child;

import io.carom.benchmarks.guest.IoStrategies;
import io.carom.benchmarks.guest.Profiles;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.plan.IoCase;
import io.carom.benchmarks.plan.IommuTask;
import java.util.function.Consumer;

/** Does a task of the benchmark of the IOMMU strategies in this JVM. */
public final class IommuWorker {
  private IommuWorker() {}

  /**
   * Does a task.
   *
   * @param sink takes what is measured, as soon as it is
   * @throws IllegalStateException when something cannot be measured; one line
   */
  public static void run(final IommuTask task, final Consumer<IommuMessage> sink)
      throws InterruptedException {
    switch (task.kind()) {
      case CATALOG ->
          sink.accept(
              IommuMessage.of(
                  new IommuMessage.Catalog(
                      IoStrategies.variants().stream()
                          .map(known -> new IoCase(known.strategy(), known.variant(), false, 0))
                          .toList(),
                      Profiles.of(task.profile()))));
      case VIRTUAL_ROWS -> new VirtualRows(task, sink).run();
      case ROWS -> {
        for (final IoCase row : task.cases()) {
          final boolean cold = row.equals(task.cases().getFirst());
          sink.accept(IommuMessage.of(RealRow.measure(task, row, cold)));
          // The machine's memory is given back when it is found to be unreachable.
          System.gc();
        }
      }
      case HIT -> {
        try (Team team = new Team()) {
          HitRun.run(task, team, sink);
        }
      }
      case LOOKUP -> {
        try (Team team = new Team()) {
          new IommuLookupRun(task, team, sink).run();
        }
      }
    }
  }
}
