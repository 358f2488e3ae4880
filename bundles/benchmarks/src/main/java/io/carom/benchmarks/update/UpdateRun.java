package io.carom.benchmarks.update;

import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.SwapPlan;
import io.carom.benchmarks.plan.SwapTask;
import io.carom.dma.DmaDeviceInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Collectors;
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

  UpdateRun(final Container container, final SwapTask task, final Consumer<SwapMessage> sink) {
    this.container = container;
    this.task = task;
    this.sink = sink;
    devices = new TestDevices(container);
  }

  /**
   * Does all of it.
   *
   * @throws IllegalStateException when a device does not come back after an update, after what was
   *     measured until then has been said; one line
   */
  void run() throws InterruptedException {
    devices.plug();
    window(devices.loads(task.seed()), new UpdateTally("warm-up"), null);
    for (final String bundle : SwapPlan.BUNDLES) {
      final UpdateTally tally = new UpdateTally(bundle);
      try {
        measure(bundle, tally);
      } finally {
        sink.accept(SwapMessage.of(tally.report()));
        tally.problems().forEach(line -> sink.accept(SwapMessage.ofProblem(line)));
      }
    }
  }

  private void measure(final String bundle, final UpdateTally tally) throws InterruptedException {
    final BundleUpdate update = new BundleUpdate(container.context(), bundle);
    window(devices.loads(task.seed()), tally, null);
    for (int i = 0; i < task.updates() && tally.goesOn(); i++) {
      window(devices.loads(task.seed() + i), tally, update);
      try {
        devices.awaitAll();
      } catch (final IllegalStateException e) {
        throw new IllegalStateException(
            "after the update of " + bundle + " " + e.getMessage() + ": no more is measured", e);
      }
      sink.accept(SwapMessage.ALIVE);
    }
  }

  private void window(
      final List<DeviceLoad> loads, final UpdateTally tally, final @Nullable BundleUpdate update)
      throws InterruptedException {
    final Map<String, Long> before = noStrategy();
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
    tally.window(update != null, pauseMs, grown(before, noStrategy()));
  }

  /** Maps that found no strategy, by device. */
  private Map<String, Long> noStrategy() throws InterruptedException {
    return container.dma().devices().stream()
        .collect(Collectors.toMap(DmaDeviceInfo::device, DmaDeviceInfo::noStrategyMaps, Long::sum));
  }

  /** A device that came anew counts from 0 again. */
  static long grown(final Map<String, Long> before, final Map<String, Long> now) {
    long sum = 0;
    for (final Map.Entry<String, Long> device : now.entrySet()) {
      final long seen = before.getOrDefault(device.getKey(), 0L);
      sum += device.getValue() < seen ? device.getValue() : device.getValue() - seen;
    }
    return sum;
  }

  private static LoadResult join(final Future<LoadResult> future) throws InterruptedException {
    try {
      return future.get();
    } catch (final ExecutionException e) {
      throw new IllegalStateException("a load ended: " + e.getCause(), e);
    }
  }
}
