package io.carom.shell.demo;

import io.carom.guest.FioJob;
import io.carom.guest.FioResult;
import io.carom.shell.service.ShellServices;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/** Verified load on several disks at once. */
final class Load {
  private final ShellServices services;
  private final ExecutorService threads;
  private final Consumer<String> progress;

  Load(
      final ShellServices services,
      final ExecutorService threads,
      final Consumer<String> progress) {
    this.services = services;
    this.threads = threads;
    this.progress = progress;
  }

  /** Starts it. */
  List<Future<FioResult>> start(final List<DemoDisk> disks, final long millis, final long seed)
      throws InterruptedException {
    final List<Future<FioResult>> running = new ArrayList<>();
    for (final DemoDisk disk : disks) {
      final FioJob job =
          FioJob.of(disk.disk().name(), disk.readOnly() ? "randread" : "randrw")
              .forMillis(millis)
              .withSeed(seed);
      running.add(threads.submit(() -> services.fio().run(job, progress::accept)));
    }
    return running;
  }

  /** Waits for its end; throws what the workload threw. */
  static <T> List<T> await(final List<Future<T>> running) throws InterruptedException {
    final List<T> results = new ArrayList<>();
    for (final Future<T> future : running) {
      try {
        results.add(future.get());
      } catch (ExecutionException e) {
        if (e.getCause() instanceof final RuntimeException cause) {
          throw cause;
        }
        throw new IllegalStateException("the load ended: " + e.getCause(), e);
      }
    }
    return results;
  }
}
