package io.carom.benchmarks.child;

import io.carom.bench.SwiotlbReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.Lookups;
import io.carom.benchmarks.measure.ArithmeticLoop;
import io.carom.benchmarks.measure.CopyLoop;
import io.carom.benchmarks.measure.Fill;
import io.carom.benchmarks.measure.HeapUse;
import io.carom.benchmarks.measure.Loop;
import io.carom.benchmarks.measure.MapLoop;
import io.carom.benchmarks.measure.RecordLoop;
import io.carom.benchmarks.measure.Stretch;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.RowGroup;
import io.carom.benchmarks.plan.Task;
import io.carom.benchmarks.stats.Figure;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Measures a group of rows on a pool of its own. A round has a stretch of everything that is
 * compared, so that whatever else the processors do meanwhile meets all of it alike.
 */
final class GroupRun implements AutoCloseable {
  private static final long COLD_NS = 250_000_000;
  private static final long COLD_COPY_NS = 60_000_000;
  private static final long WARM_NS = 30_000_000;
  private static final long RECORD_NS = 10_000_000;
  private static final long FILL_BUFFER = 256L << 10;
  private static final double NS_PER_SECOND = 1e9;
  private static final long HEAP_NS = 30_000_000;

  /** What is measured with one number of threads. */
  private static final class Side {
    private final Loop[] maps;
    private Loop[] hot = {};
    private Loop[] replay = {};
    private final Rounds mapped = new Rounds();
    private final Rounds copied = new Rounds();
    private final Rounds replayed = new Rounds();

    Side(final Loop[] maps) {
      this.maps = maps;
    }
  }

  private final Task task;
  private final RowGroup group;
  private final Team team;
  private final BenchDevice device;
  private final long[] buffers = new long[Team.THREADS];
  private final Side[] sides = new Side[Team.THREADS];

  GroupRun(final Task task, final RowGroup group, final Team team) throws InterruptedException {
    this.task = task;
    this.group = group;
    this.team = team;
    device =
        new BenchDevice(
            task.strategy(), task.extents(), task.copy(), BenchDevice.POOL_BYTES, Lookups.DIRECT);
    for (int i = 0; i < Team.THREADS; i++) {
      buffers[i] = device.machine().buffer(group.sizeBytes());
    }
    for (int i = 0; i < Team.THREADS; i++) {
      final Loop[] maps = new Loop[i + 1];
      Arrays.setAll(
          maps,
          thread ->
              new MapLoop(device.dma(), buffers[thread], group.sizeBytes(), group.direction()));
      sides[i] = new Side(maps);
    }
    if (group.fillPercent() > 0) {
      final Fill fill =
          new Fill(
              device.dma(),
              device.machine().buffer(FILL_BUFFER),
              BenchDevice.POOL_BYTES,
              task.seed());
      team.call(
          0,
          () -> {
            fill.to(group.fillPercent());
            return fill;
          });
    }
  }

  void warmUp(final boolean cold) throws InterruptedException {
    for (final Side side : sides) {
      WarmUp.run(team, warm(cold ? COLD_NS : WARM_NS), side.maps);
      if (task.copy()) {
        copies(side);
        WarmUp.run(team, warm(cold ? COLD_COPY_NS : RECORD_NS), side.hot);
        if (side.replay.length > 0) {
          team.run(warm(RECORD_NS), side.replay);
        }
      } else {
        side.replay = new Loop[side.maps.length];
        Arrays.setAll(side.replay, thread -> new ArithmeticLoop());
        team.run(warm(RECORD_NS), side.replay);
      }
    }
  }

  /** Not much longer than what is measured, however short that is. */
  private long warm(final long ns) {
    return Math.min(ns, 8 * task.unitNs());
  }

  private void copies(final Side side) throws InterruptedException {
    final RecordLoop[] recorders = new RecordLoop[side.maps.length];
    Arrays.setAll(
        recorders,
        thread ->
            new RecordLoop(device.dma(), buffers[thread], group.sizeBytes(), group.direction()));
    team.run(warm(RECORD_NS), recorders);
    side.hot = new Loop[recorders.length];
    Arrays.setAll(
        side.hot,
        thread -> copy(thread, new long[] {device.machine().buffer(group.sizeBytes())}, false));
    if (Arrays.stream(recorders).noneMatch(RecordLoop::isEmpty)) {
      side.replay = new Loop[recorders.length];
      Arrays.setAll(
          side.replay,
          thread -> copy(thread, recorders[thread].addresses(), group.direction().fromDevice()));
    } // else maps fail: there is nothing to replay
  }

  private CopyLoop copy(final int thread, final long[] addresses, final boolean back) {
    return new CopyLoop(
        device.machine().memory().ram(),
        device.machine().memory().offset(buffers[thread]),
        device.memory(addresses[0]),
        Arrays.stream(addresses).map(device::offset).toArray(),
        group.sizeBytes(),
        back);
  }

  void measure(final Consumer<Message> sink) throws InterruptedException {
    for (int round = 0; round < task.rounds(); round++) {
      for (final Side side : sides) {
        side.mapped.add(team.run(task.unitNs(), side.maps));
        if (side.replay.length > 0) {
          final long ns = task.copy() ? task.unitNs() : task.unitNs() / 2;
          side.replayed.add(team.run(ns, side.replay));
        }
        if (side.hot.length > 0) {
          side.copied.add(team.run(task.unitNs() / 2, side.hot));
        }
      }
    }
    for (int i = 0; i < sides.length; i++) {
      sink.accept(Message.of(row(i + 1, sides[i])));
    }
    if (group.scaling()) {
      final SwiotlbReport.Scaling scaling = scaling(sides[0], sides[1]);
      if (scaling != null) {
        sink.accept(Message.of(scaling));
      }
    }
    if (task.heap() && group.fillPercent() == 0) {
      sink.accept(Message.ofHeap(heap(sides[0])));
    }
  }

  private SwiotlbReport.Row row(final int threads, final Side side) {
    final Figure ns = side.mapped.ns();
    return new SwiotlbReport.Row(
        task.strategy(),
        task.extents(),
        group.sizeBytes(),
        group.direction(),
        task.copy(),
        threads,
        group.fillPercent(),
        device.poolBytes(),
        ns == null ? null : ns.median(),
        ns == null ? null : ns.min(),
        ns == null ? null : ns.max(),
        ns == null ? null : threads * NS_PER_SECOND / ns.median(),
        side.mapped.failures(),
        task.copy() ? side.copied.median() : null,
        task.copy() ? side.replayed.median() : null);
  }

  private SwiotlbReport.@Nullable Scaling scaling(final Side one, final Side two) {
    final double[] ratios = two.mapped.over(one.mapped);
    final double[] control = two.replayed.over(one.replayed);
    return ratios == null || control == null
        ? null
        : new SwiotlbReport.Scaling(
            task.strategy(),
            group.sizeBytes(),
            task.copy(),
            Figure.of(ratios).median(),
            Figure.of(control).median());
  }

  private double heap(final Side side) throws InterruptedException {
    final Stretch stretch = team.run(task.unitNs() / 4, side.maps);
    final double ns = Math.max(1, stretch.nsPerOperation());
    final long operations = Math.max(1, (long) (Math.min(HEAP_NS, 4 * task.unitNs()) / ns));
    return team.call(0, () -> HeapUse.bytesPerOperation(side.maps[0], operations));
  }

  @Override
  public void close() {
    device.close();
  }
}
