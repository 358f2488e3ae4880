package io.carom.benchmarks.child;

import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.Strategies;
import io.carom.benchmarks.measure.LiveLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.Selection;
import io.carom.benchmarks.plan.Task;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Measures what it costs to find one mapping among many. The mappings are split between two
 * threads, and the one that measures unmaps and maps its own: so it stays in its stripe of the
 * pool, whose free slots it gives back and takes again, and the strategy costs the same however
 * many live.
 */
final class LookupRun {
  /** What a list that is searched can bear. */
  private static final long MOST_IN_LIST = 10_000;

  private static final String LIST = "mru";
  private static final long SIZE = 512;

  /** Room for a million mappings of a slot each, and a fifth more. */
  private static final long POOL_BYTES = 2560L << 20;

  private static final long COLD_NS = 300_000_000;
  private static final long WARM_NS = 60_000_000;

  private final Task task;
  private final Team team;
  private final Consumer<Message> sink;
  private boolean cold = true;

  LookupRun(final Task task, final Team team, final Consumer<Message> sink) {
    this.task = task;
    this.team = team;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    // The one that reuses what was just freed, if there is: its share of the time is the smallest.
    final String strategy =
        Selection.MAIN.stream()
            .filter(Strategies.names()::contains)
            .reduce((first, last) -> last)
            .orElseThrow();
    try (BenchDevice device =
        new BenchDevice(strategy, task.extents(), task.copy(), POOL_BYTES, task.lookup())) {
      final long buffer = device.machine().buffer(SIZE);
      final long most = task.live().stream().mapToLong(Long::longValue).max().orElse(0);
      final List<LiveLoop> halves =
          List.of(
              new LiveLoop(device.dma(), buffer, SIZE, (int) ((most + 1) / 2), task.seed()),
              new LiveLoop(device.dma(), buffer, SIZE, (int) (most / 2), task.seed()));
      for (final long live : task.live()) {
        if (task.lookup().equals(LIST) && live > MOST_IN_LIST) {
          sink.accept(Message.of(new SwiotlbReport.Lookup(LIST, live, null, null)));
        } else {
          grow(halves, live);
          sink.accept(Message.of(measure(halves.getFirst(), live)));
        }
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
                "lookup %s: %d mappings shall live, but a pool of %d MiB takes only %d",
                task.lookup(),
                live,
                POOL_BYTES >> 20,
                halves.stream().mapToInt(LiveLoop::count).sum()));
      }
    }
  }

  private SwiotlbReport.Lookup measure(final LiveLoop loop, final long live)
      throws InterruptedException {
    final Rounds hot = new Rounds();
    final Rounds random = new Rounds();
    for (final boolean any : new boolean[] {false, true}) {
      loop.random(any);
      WarmUp.run(team, Math.min(cold ? COLD_NS : WARM_NS, 8 * task.unitNs()), loop);
    }
    cold = false;
    for (int round = 0; round < task.rounds(); round++) {
      loop.random(false);
      hot.add(team.run(task.unitNs(), loop));
      loop.random(true);
      random.add(team.run(task.unitNs(), loop));
    }
    return new SwiotlbReport.Lookup(task.lookup(), live, hot.median(), random.median());
  }
}
