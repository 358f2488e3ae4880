package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.guest.IoMachine;
import io.carom.benchmarks.guest.IoSpec;
import io.carom.benchmarks.guest.Profiles;
import io.carom.benchmarks.measure.LiveLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.IommuPlan;
import io.carom.benchmarks.plan.IommuTask;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Measures what it costs to find one of many mappings in the pool by its address: an unmap of 4 KiB
 * and a map that hits the slot that this freed. As in the benchmark of the bounce buffers, two
 * threads have half of the mappings each, and the one that measures stays in its stripe.
 */
final class IommuLookupRun {
  private static final long SIZE = 4096;

  /** A page of bounce memory for each of a million mappings, and room for all else. */
  private static final long RAM_BYTES = 8L << 30;

  private static final long COLD_NS = 300_000_000;
  private static final long WARM_NS = 60_000_000;

  private final IommuTask task;
  private final Team team;
  private final Consumer<IommuMessage> sink;
  private boolean cold = true;

  IommuLookupRun(final IommuTask task, final Team team, final Consumer<IommuMessage> sink) {
    this.task = task;
    this.team = team;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    final long most = task.live().stream().mapToLong(Long::longValue).max().orElse(0);
    final IoSpec spec =
        new IoSpec(
            IommuPlan.POOL,
            IommuPlan.POOL_VARIANT,
            Profiles.of(Profiles.NONE),
            false,
            RAM_BYTES,
            most,
            null);
    try (IoMachine machine = new IoMachine(spec)) {
      final long buffer = machine.machine().buffer(SIZE);
      final List<LiveLoop> halves =
          List.of(
              new LiveLoop(machine.dma(), buffer, SIZE, (int) ((most + 1) / 2), task.seed()),
              new LiveLoop(machine.dma(), buffer, SIZE, (int) (most / 2), task.seed()));
      for (final long live : task.live()) {
        grow(halves, live);
        sink.accept(IommuMessage.of(measure(halves.getFirst(), live)));
      }
    }
  }

  private void grow(final List<LiveLoop> halves, final long live) throws InterruptedException {
    final int[] wanted = {(int) ((live + 1) / 2), (int) (live / 2)};
    for (int i = 0; i < wanted.length; i++) {
      final LiveLoop half = halves.get(i);
      final int count = wanted[i];
      if (!team.call(i, () -> half.grow(count))) {
        throw new IllegalStateException(
            String.format(
                Locale.ROOT,
                "lookup: %d mappings shall live, but the pool takes only %d",
                live,
                halves.stream().mapToInt(LiveLoop::count).sum()));
      }
    }
  }

  private IommuReport.Lookup measure(final LiveLoop loop, final long live)
      throws InterruptedException {
    final Rounds hot = new Rounds();
    final Rounds random = new Rounds();
    for (final boolean any : new boolean[] {false, true}) {
      loop.random(any);
      WarmUp.run(team, cold ? COLD_NS : WARM_NS, loop);
    }
    cold = false;
    for (int round = 0; round < task.rounds(); round++) {
      loop.random(false);
      hot.add(team.run(task.unitNs(), loop));
      loop.random(true);
      random.add(team.run(task.unitNs(), loop));
    }
    return new IommuReport.Lookup(live, hot.median(), random.median());
  }
}
