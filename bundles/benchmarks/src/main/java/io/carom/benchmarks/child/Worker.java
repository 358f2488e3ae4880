package io.carom.benchmarks.child;

import io.carom.benchmarks.guest.Lookups;
import io.carom.benchmarks.guest.Strategies;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.plan.RowGroup;
import io.carom.benchmarks.plan.Task;
import java.util.function.Consumer;

/** Does a task in this JVM. */
public final class Worker {
  private Worker() {}

  /**
   * Does a task.
   *
   * @param sink takes what is measured, as soon as it is
   * @throws IllegalStateException when something cannot be measured; one line
   */
  public static void run(final Task task, final Consumer<Message> sink)
      throws InterruptedException {
    try (Team team = new Team()) {
      switch (task.kind()) {
        case CATALOG ->
            sink.accept(Message.of(new Message.Catalog(Strategies.names(), Lookups.names())));
        case ROWS -> rows(task, team, sink);
        case LOOKUP -> new LookupRun(task, team, sink).run();
        case PAIRS -> new PairsRun(task, team, sink).run();
      }
    }
  }

  private static void rows(final Task task, final Team team, final Consumer<Message> sink)
      throws InterruptedException {
    boolean cold = true;
    for (final RowGroup group : task.groups()) {
      try (GroupRun run = new GroupRun(task, group, team)) {
        run.warmUp(cold);
        run.measure(sink);
      }
      cold = false;
      // The machine's memory is given back when it is found to be unreachable.
      System.gc();
    }
    for (final long pool : task.failingPools()) {
      FailingRun.run(task, pool, team, sink);
      System.gc();
    }
  }
}
