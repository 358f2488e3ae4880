package io.carom.benchmarks.child;

import io.carom.bench.VirtioReport;
import io.carom.benchmarks.guest.BenchDevice;
import io.carom.benchmarks.guest.DiskMachine;
import io.carom.benchmarks.guest.DiskSpec;
import io.carom.benchmarks.io.DiskLoad;
import io.carom.benchmarks.io.DiskStretch;
import io.carom.benchmarks.measure.CopyLoop;
import io.carom.benchmarks.measure.Team;
import io.carom.benchmarks.measure.ThreadHeap;
import io.carom.benchmarks.measure.WarmUp;
import io.carom.benchmarks.plan.VirtioTask;
import io.carom.benchmarks.stats.Figure;
import io.carom.dma.ExtentKind;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * Measures random reads of 4 KiB from disks in memory, one disk for each strategy, all in one
 * machine: a round has a stretch of each, so that what disturbs one disturbs all.
 */
final class BlkRun {
  private static final List<DiskSpec> DISKS =
      List.of(
          new DiskSpec(BenchDevice.DIRECT, null),
          new DiskSpec("swiotlb-device", ExtentKind.DEVICE),
          new DiskSpec("swiotlb-magazine", ExtentKind.DEVICE));

  private static final int BLOCK = 4096;
  private static final int[] DEPTHS = {1, 32};
  private static final long DISK_BYTES = 64L << 20;
  private static final long COPY_NS = 4_000_000;
  private static final long WARM_NS = 400_000_000;
  private static final int CALM = 3;
  private static final double FASTER = 1.03;
  private static final int MOST_WARM = 12;
  private static final double P99 = 99;
  private static final double NS_PER_US = 1_000;

  /** How the names of the threads begin that a request passes. */
  private static final List<String> THREADS = List.of("blk-req", "blk disk", "guest-irq");

  private final VirtioTask task;
  private final Consumer<VirtioMessage> sink;
  private final MemorySegment content = LazyMemory.allocate(DISK_BYTES);

  BlkRun(final VirtioTask task, final Consumer<VirtioMessage> sink) {
    this.task = task;
    this.sink = sink;
  }

  void run() throws InterruptedException {
    final SplittableRandom random = new SplittableRandom(task.seed());
    for (long at = 0; at < DISK_BYTES; at += Long.BYTES) {
      content.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
    try (DiskMachine machine = new DiskMachine(DISKS, DISK_BYTES);
        Team team = new Team()) {
      for (int i = 0; i < DISKS.size(); i++) {
        machine.disk(i).write(0, content);
      }
      final List<DiskLoad[]> loads = new ArrayList<>();
      final ThreadHeap heap = new ThreadHeap(THREADS);
      for (final int depth : DEPTHS) {
        final DiskLoad[] row = new DiskLoad[DISKS.size()];
        for (int i = 0; i < row.length; i++) {
          row[i] =
              new DiskLoad(
                  machine.disk(i), machine.machine(), BLOCK, depth, random.nextLong(), heap);
          row[i].verify(content);
          final long back = machine.copiedBack(i);
          if ((back == 0) != (DISKS.get(i).extents() == null)) {
            throw new IllegalStateException(
                DISKS.get(i).strategy() + " copied " + back + " bytes back");
          }
        }
        loads.add(row);
      }
      final CopyLoop copy = copy();
      WarmUp.run(team, WARM_NS / 2, copy);
      final Rounds copies = new Rounds();
      for (int i = DEPTHS.length - 1; i >= 0; i--) { // the deeper one warms up for both
        warmUp(loads.get(i));
      }
      for (int i = 0; i < DEPTHS.length; i++) {
        measure(DEPTHS[i], loads.get(i), () -> copies.add(team.run(COPY_NS, copy)));
      }
      final Double ns = copies.median();
      if (ns != null) {
        sink.accept(VirtioMessage.ofCopy(ns));
      }
    }
  }

  /** What is done once in a round. */
  @FunctionalInterface
  private interface Beside {
    void run() throws InterruptedException;
  }

  private static CopyLoop copy() {
    final MemorySegment memory = LazyMemory.allocate(2L * BLOCK);
    memory.fill((byte) 1);
    return new CopyLoop(memory, 0, memory, new long[] {BLOCK}, BLOCK, false);
  }

  /** Until the compiler has done with them. */
  private void warmUp(final DiskLoad[] loads) throws InterruptedException {
    double best = 0;
    int calm = 0;
    for (int i = 0; i < MOST_WARM && calm < CALM; i++) {
      double now = 0;
      for (final DiskLoad load : loads) {
        now += load.run(Math.min(WARM_NS / CALM, 4 * task.unitNs())).iops();
      }
      calm = now > best * FASTER ? 0 : calm + 1;
      best = Math.max(best, now);
    }
  }

  private void measure(final int depth, final DiskLoad[] loads, final Beside beside)
      throws InterruptedException {
    final DiskStretch[][] rounds = new DiskStretch[loads.length][task.rounds()];
    for (final DiskLoad load : loads) {
      load.forgetTimes();
    }
    for (int round = 0; round < task.rounds(); round++) {
      for (int i = 0; i < loads.length; i++) {
        rounds[i][round] = loads[i].run(task.unitNs());
      }
      beside.run();
    }
    for (int i = 0; i < loads.length; i++) {
      sink.accept(VirtioMessage.of(row(depth, i, loads[i], rounds[i], rounds[0])));
      loads[i].verify(content);
    }
  }

  private static VirtioReport.Blk row(
      final int depth,
      final int disk,
      final DiskLoad load,
      final DiskStretch[] rounds,
      final DiskStretch[] direct) {
    final double[] iops = new double[rounds.length];
    final double[] added = new double[rounds.length];
    final double[] ratio = new double[rounds.length];
    double heap = Double.MAX_VALUE;
    for (int i = 0; i < rounds.length; i++) {
      iops[i] = rounds[i].iops();
      added[i] = rounds[i].nsPerRequest() - direct[i].nsPerRequest();
      ratio[i] = rounds[i].iops() / direct[i].iops();
      // what is allocated for every request is so in every round; the compiler's doings are not
      heap = Math.min(heap, (double) rounds[i].heapBytes() / rounds[i].requests());
    }
    final Figure figure = Figure.of(iops);
    final DiskSpec spec = DISKS.get(disk);
    final boolean bounces = spec.extents() != null;
    return new VirtioReport.Blk(
        spec.strategy(),
        spec.extents(),
        "memory",
        false,
        "randread",
        BLOCK,
        depth,
        figure.median(),
        figure.min(),
        figure.max(),
        load.percentileNs(P99) / NS_PER_US,
        bounces ? Figure.of(added).median() : null,
        bounces ? Figure.of(ratio).median() : null,
        heap);
  }
}
