package io.carom.shell.demo;

import io.carom.dma.DmaDeviceInfo;
import io.carom.guest.FioResult;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;

/**
 * Swaps strategies on all disks under verified load, and restarts the strategies' bundle in the
 * middle. Swaps go on all the time; the load comes in three parts, so that what it saw of the
 * restart can be told apart.
 */
final class SwapStorm {
  private static final long PERIOD_MS = 50;
  private static final long RESTART_PART_MS = 2000;

  private final ShellServices services;
  private final DemoOptions options;
  private final Consumer<String> progress;

  SwapStorm(
      final ShellServices services, final DemoOptions options, final Consumer<String> progress) {
    this.services = services;
    this.options = options;
    this.progress = progress;
  }

  /** What came out. */
  record Outcome(DemoReport.Swaps swaps, DemoReport.Restart restart) {}

  Outcome run(final List<DemoDisk> disks) throws InterruptedException {
    final List<String> devices = new ArrayList<>();
    for (final DemoDisk disk : disks) {
      devices.add(DemoDisk.dmaName(disk.disk()));
    }
    final ExecutorService threads = Executors.newCachedThreadPool();
    final CountDownLatch end = new CountDownLatch(1);
    try {
      return run(disks, devices, threads, end);
    } finally {
      end.countDown();
      threads.shutdownNow();
    }
  }

  private Outcome run(
      final List<DemoDisk> disks,
      final List<String> devices,
      final ExecutorService threads,
      final CountDownLatch end)
      throws InterruptedException {
    final long total = options.seconds() * 1000L;
    final long middle = Math.min(RESTART_PART_MS, total / 3);
    final long first = (total - middle) / 2;
    final long failedBefore = sum(devices, DmaDeviceInfo::failedMaps);
    final SwapTally tally = new SwapTally();
    progress.accept(
        "demo: swapping strategies every " + PERIOD_MS + " ms for " + options.seconds() + " s");
    final List<Future<Boolean>> swappers = new ArrayList<>();
    for (final String device : devices) {
      swappers.add(threads.submit(new Swapper(services, device, PERIOD_MS, tally, end)));
    }
    final Load load = new Load(services, threads, progress);
    final List<FioResult> all =
        new ArrayList<>(Load.await(load.start(disks, first, options.seed())));
    final List<FioResult> across = new ArrayList<>();
    final DemoReport.Restart restart = restart(load, disks, devices, middle, across);
    all.addAll(across);
    all.addAll(Load.await(load.start(disks, total - middle - first, options.seed() + 2)));
    end.countDown();
    Load.await(swappers);
    return new Outcome(
        tally.with(
            sum(devices, DmaDeviceInfo::failedMaps) - failedBefore,
            total(all, FioResult::verifiedBytes),
            total(all, FioResult::corruptBlocks),
            total(all, FioResult::lostRequests)),
        restart);
  }

  private DemoReport.Restart restart(
      final Load load,
      final List<DemoDisk> disks,
      final List<String> devices,
      final long millis,
      final List<FioResult> across)
      throws InterruptedException {
    final long before = sum(devices, DmaDeviceInfo::noStrategyMaps);
    final List<Future<FioResult>> running = load.start(disks, millis, options.seed() + 1);
    Thread.sleep(millis / 3);
    progress.accept("demo: stopping and starting " + BundleRestart.BUNDLE + " under load");
    final double absentMs = BundleRestart.run(services);
    across.addAll(Load.await(running));
    return new DemoReport.Restart(
        across.stream().mapToDouble(FioResult::maxPauseMs).max().orElse(0),
        absentMs,
        sum(devices, DmaDeviceInfo::noStrategyMaps) - before,
        total(across, FioResult::corruptBlocks),
        total(across, FioResult::lostRequests));
  }

  private long sum(final List<String> devices, final ToLongFunction<DmaDeviceInfo> counter) {
    return devices.stream()
        .flatMap(device -> Swaps.info(services.dma(), device).stream())
        .mapToLong(counter)
        .sum();
  }

  private static long total(
      final List<FioResult> results, final ToLongFunction<FioResult> counter) {
    return results.stream().mapToLong(counter).sum();
  }
}
