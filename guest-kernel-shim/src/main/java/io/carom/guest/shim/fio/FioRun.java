package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * One workload from its plan to its result, on the caller's thread; the jobs have their own.
 *
 * <p>It always ends: a job ends when its blocks or its time are used up, when its disk is gone, or
 * when each of its slots has lost a request; a job whose thread hangs in the driver is disowned.
 */
final class FioRun {
  private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long STUCK_NS = TimeUnit.SECONDS.toNanos(5);
  private static final long STOP_NS = TimeUnit.SECONDS.toNanos(2);

  /**
   * What is the same for all runs.
   *
   * @param clock nanoseconds
   * @param timeoutNs when a request counts as lost
   * @param progressNs time between two lines of progress
   * @param inline whether unverified requests are submitted again where they end
   */
  record Settings(LongSupplier clock, long timeoutNs, long progressNs, boolean inline) {}

  private final FioPlan plan;
  private final FioJob job;
  private final BlockDevice disk;
  private final DiskLedger ledger;
  private final SlotBuffers buffers;
  private final Settings settings;
  private final List<JobStats> measured = new ArrayList<>();
  private final List<JobStats> checked = new ArrayList<>();
  private final List<JobStats> all = new ArrayList<>();

  /** Buffers of the last phase that began. */
  private long reachableBuffers;

  private long allBuffers;

  private volatile List<JobRunner> running = List.of();
  private volatile boolean cancelled;

  FioRun(
      final FioPlan plan,
      final DiskLedger ledger,
      final SlotBuffers buffers,
      final Settings settings) {
    this.plan = plan;
    this.job = plan.job();
    this.disk = plan.disk();
    this.ledger = ledger;
    this.buffers = buffers;
    this.settings = settings;
  }

  /** The disk that it runs on. */
  String disk() {
    return disk.name();
  }

  /** Ends it soon, from another thread. */
  void cancel() {
    cancelled = true;
    running.forEach(JobRunner::stop);
  }

  /**
   * Runs.
   *
   * @param strategyOf the strategy that a disk uses now
   */
  FioResult execute(
      final FioProgress progress, final Function<BlockDevice, @Nullable String> strategyOf)
      throws InterruptedException {
    ledger.enter();
    try {
      final long requeues = disk.counters().requeues();
      if (plan.needsLayout(ledger)) {
        phase(plan.layout(), new LayoutLines(progress), List.of(all));
      }
      final long since = ledger.peekVersion();
      final long start = now();
      final PauseMeter pauses =
          phase(plan.workload(), new RateLines(progress, start), List.of(all, checked, measured));
      final long ranNs = Math.max(1, now() - start);
      final boolean asked = job.iomem() == FioJob.IoMemory.REACHABLE;
      final long reachable = reachableBuffers;
      final long fallback = asked ? allBuffers - reachable : 0;
      if (plan.needsReadBack() && disk.live()) {
        phase(plan.readBack(since), new ReadBackLines(progress), List.of(all, checked));
      }
      return result(
          ranNs,
          pauses,
          disk.counters().requeues() - requeues,
          strategyOf.apply(disk),
          reachable,
          fallback);
    } finally {
      ledger.exit();
    }
  }

  private PauseMeter phase(
      final List<JobSpec> specs, final Lines lines, final List<List<JobStats>> into)
      throws InterruptedException {
    final PauseMeter pauses = new PauseMeter(now());
    final List<JobRunner> runners = new ArrayList<>();
    try {
      final var setting =
          new JobRunner.Setting(
              disk,
              ledger,
              pauses,
              buffers,
              settings.clock(),
              settings.timeoutNs(),
              settings.inline(),
              job.iomem() == FioJob.IoMemory.REACHABLE);
      for (final JobSpec spec : specs) {
        runners.add(new JobRunner(setting, spec));
      }
      for (final JobRunner runner : runners) {
        into.forEach(list -> list.add(runner.stats()));
      }
      reachableBuffers = runners.stream().mapToLong(JobRunner::reachableBuffers).sum();
      allBuffers = runners.stream().mapToLong(JobRunner::buffers).sum();
      running = List.copyOf(runners);
      runners.forEach(JobRunner::start);
      await(runners, lines);
    } finally {
      running = List.of();
      runners.forEach(JobRunner::free);
    }
    for (final JobRunner runner : runners) {
      final RuntimeException failure = runner.failure();
      if (failure != null) {
        throw failure;
      }
    }
    if (cancelled) {
      throw new IllegalStateException(disk.name() + ": the workload was stopped with the shim");
    }
    return pauses;
  }

  private void await(final List<JobRunner> runners, final Lines lines) throws InterruptedException {
    boolean ended = false;
    try {
      long told = now();
      for (final JobRunner runner : runners) {
        while (!runner.await(POLL_NS)) {
          if (cancelled || runners.stream().anyMatch(r -> r.failure() != null)) {
            runners.forEach(JobRunner::stop);
          }
          final long now = now();
          disownStuck(runner, now);
          if (now - told >= settings.progressNs()) {
            lines.tell(now, now - told);
            told = now;
          }
        }
      }
      ended = true;
    } finally {
      if (!ended) {
        end(runners);
      }
    }
  }

  private void disownStuck(final JobRunner runner, final long now) {
    if (now - runner.lastWorkNs() > settings.timeoutNs() + STUCK_NS) {
      runner.disown();
    }
  }

  /** Ends jobs for an interrupted caller: what does not end in time is lost. */
  private void end(final List<JobRunner> runners) {
    runners.forEach(JobRunner::stop);
    final boolean interrupted = Thread.interrupted();
    try {
      final long deadline = System.nanoTime() + STOP_NS;
      for (final JobRunner runner : runners) {
        if (!runner.await(deadline - System.nanoTime())) {
          runner.stopNow();
          if (!runner.await(STOP_NS)) {
            runner.disown();
          }
        }
      }
    } catch (final InterruptedException e) {
      runners.forEach(JobRunner::disown);
      Thread.currentThread().interrupt();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private long now() {
    return settings.clock().getAsLong();
  }

  private FioResult result(
      final long ranNs,
      final PauseMeter pauses,
      final long requeues,
      final @Nullable String strategy,
      final long reachable,
      final long fallback) {
    final Histogram latencies = JobStats.newHistogram();
    measured.forEach(stats -> latencies.add(stats.latencies()));
    final long requests = sum(measured, JobStats::requests);
    final double seconds = ranNs / 1e9;
    return new FioResult(
        disk.name(),
        strategy,
        job.rw(),
        job.bsBytes(),
        job.iodepth(),
        job.numjobs(),
        TimeUnit.NANOSECONDS.toMillis(ranNs),
        requests / seconds,
        mib(requests) / seconds,
        micros(latencies, 50),
        micros(latencies, 90),
        micros(latencies, 99),
        micros(latencies, 99.9),
        latencies.getMaxValue() / 1e3,
        sum(checked, JobStats::verifiedBytes),
        sum(all, JobStats::corruptBlocks),
        sum(all, JobStats::lostRequests),
        requeues,
        requests,
        pauses.longestMs(),
        all.stream().map(JobStats::firstCorruption).filter(s -> s != null).findFirst().orElse(null),
        job.seed(),
        reachable,
        fallback);
  }

  private double mib(final long requests) {
    return (double) requests * job.bsBytes() / (1 << 20);
  }

  private static double micros(final Histogram latencies, final double percentile) {
    return latencies.getValueAtPercentile(percentile) / 1e3;
  }

  private static long sum(final List<JobStats> stats, final ToLongFunction<JobStats> counter) {
    return stats.stream().mapToLong(counter).sum();
  }

  /** What a phase says while it runs. */
  private interface Lines {
    void tell(long now, long sinceLastNs);
  }

  private final class LayoutLines implements Lines {
    private final FioProgress progress;

    LayoutLines(final FioProgress progress) {
      this.progress = progress;
      progress.line(
          disk.name()
              + ": laying out "
              + (plan.sectors() >>> 1) // sectors to KiB
              + (plan.trims()
                  ? " KiB that will be trimmed"
                  : " KiB as far as nobody has described them"));
    }

    @Override
    public void tell(final long now, final long sinceLastNs) {
      progress.line(
          disk.name()
              + ": laying out, "
              + sum(all, JobStats::requests)
              + " blocks, "
              + troubles(all));
    }
  }

  private final class ReadBackLines implements Lines {
    private final FioProgress progress;

    ReadBackLines(final FioProgress progress) {
      this.progress = progress;
    }

    @Override
    public void tell(final long now, final long sinceLastNs) {
      progress.line(disk.name() + ": reading back what was written, " + troubles(all));
    }
  }

  private final class RateLines implements Lines {
    private final FioProgress progress;
    private final long start;
    private long before;

    RateLines(final FioProgress progress, final long start) {
      this.progress = progress;
      this.start = start;
    }

    @Override
    public void tell(final long now, final long sinceLastNs) {
      final long requests = sum(measured, JobStats::requests);
      final double seconds = sinceLastNs / 1e9;
      progress.line(
          "%s: %.1fs [%s] %.0f IOPS, %.0f MiB/s, %s"
              .formatted(
                  disk.name(),
                  (now - start) / 1e9,
                  job.rw(),
                  (requests - before) / seconds,
                  mib(requests - before) / seconds,
                  troubles(all)));
      before = requests;
    }
  }

  private static String troubles(final List<JobStats> stats) {
    final long lost = sum(stats, JobStats::lostRequests);
    return sum(stats, JobStats::corruptBlocks)
        + " corrupt"
        + (lost == 0 ? "" : ", " + lost + " lost");
  }
}
