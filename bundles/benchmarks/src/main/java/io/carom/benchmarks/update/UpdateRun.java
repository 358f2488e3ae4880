package io.carom.benchmarks.update;

import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.SwapPlan;
import io.carom.benchmarks.plan.SwapTask;
import io.carom.dma.DmaDeviceInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Updates one bundle after another, each so many times and once a second, in windows of load of
 * that length on all devices; the first window of a bundle is one without an update.
 */
final class UpdateRun {
  private static final long WINDOW_MS = 1_000;
  private static final long BEFORE_MS = 250;

  private final Container container;
  private final SwapTask task;
  private final Consumer<SwapMessage> sink;
  private final TestDevices devices;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("bench-load-", 0).factory());

  UpdateRun(
      final Container container, final SwapTask task, final Consumer<SwapMessage> sink) {
    this.container = container;
    this.task = task;
    this.sink = sink;
    devices = new TestDevices(container);
  }

  void run() throws InterruptedException {
    devices.plug();
    List<DeviceLoad> loads = devices.loads(task.seed());
    final UpdateTally warm = new UpdateTally("warm-up");
    window(loads, warm, null);
    for (final String bundle : SwapPlan.BUNDLES) {
      final UpdateTally tally = new UpdateTally(bundle);
      window(loads, tally, null);
      final BundleUpdate update = new BundleUpdate(container.context(), bundle);
      for (int i = 0; i < task.updates() && tally.goesOn(); i++) {
        window(loads, tally, update);
        devices.awaitAll();
      }
      sink.accept(SwapMessage.of(tally.report()));
      tally.problems().forEach(line -> sink.accept(SwapMessage.ofProblem(line)));
      loads = devices.loads(task.seed());
    }
  }

  private void window(
      final List<DeviceLoad> loads,
      final UpdateTally tally,
      final @Nullable BundleUpdate update)
      throws InterruptedException {
    final long before = noStrategy();
    final List<Future<LoadResult>> running = new ArrayList<>();
    for (final DeviceLoad load : loads) {
      running.add(threads.submit(() -> load.run(WINDOW_MS)));
    }
    if (update != null) {
      Thread.sleep(BEFORE_MS);
      final long start = System.nanoTime();
      try {
        update.run();
      } catch (final IllegalStateException e) {
        tally.failed(e.getMessage());
      }
      tally.updated((System.nanoTime() - start) / 1e6);
    }
    double pauseMs = 0;
    for (int i = 0; i < running.size(); i++) {
      final LoadResult result = join(running.get(i));
      tally.add(loads.get(i).device(), result, update != null);
      pauseMs = Math.max(pauseMs, result.pauseMs());
    }
    tally.window(update != null, pauseMs, noStrategy() - before);
  }

  private long noStrategy() throws InterruptedException {
    return container.dma().devices().stream().mapToLong(DmaDeviceInfo::noStrategyMaps).sum();
  }

  private static LoadResult join(final Future<LoadResult> future) throws InterruptedException {
    try {
      return future.get();
    } catch (final ExecutionException e) {
      throw new IllegalStateException("a load ended: " + e.getCause(), e);
    }
  }
}
