package io.carom.guest.shim.dmabench;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.PoolInfo;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import io.carom.guest.DmaBenchProgress;
import io.carom.guest.DmaBenchResult;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One run on an attached device, on the caller's thread; the workers have their own.
 *
 * <p>It always ends: a worker stops at its next step once the phase says so. One that hangs inside
 * the DMA API is left behind after a while, together with its pages, which its mapping still names.
 */
final class BenchRun {
  private static final long WARM_UP_MS = 1_000;
  private static final long JOIN_MS = 5_000;

  private final DmaBenchJob job;
  private final BenchDevice device;
  private final PageAllocator pages;
  private final GuestMemory memory;
  private final DmaBenchProgress progress;

  private final CountDownLatch trouble = new CountDownLatch(1);
  private final AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
  private volatile BenchWorker.Phase phase = BenchWorker.Phase.WARM_UP;
  private volatile boolean cancelled;

  BenchRun(
      final DmaBenchJob job,
      final BenchDevice device,
      final PageAllocator pages,
      final GuestMemory memory,
      final DmaBenchProgress progress) {
    this.job = job;
    this.device = device;
    this.pages = pages;
    this.memory = memory;
    this.progress = progress;
  }

  /** Ends it soon, from another thread. */
  void cancel() {
    cancelled = true;
    stop();
  }

  private void stop() {
    phase = BenchWorker.Phase.STOP;
    trouble.countDown();
  }

  /** Fills the pool as wanted, runs, and empties it. */
  DmaBenchResult execute() throws InterruptedException {
    if (job.fillPercent() == 0) {
      return measure();
    }
    final PoolInfo pool =
        device
            .pool()
            .filter(info -> info.io_tlb_nslabs() > 0)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "strategy "
                            + device.info().strategy()
                            + " has no pool of a certain size to fill; use another, or --fill 0"));
    final BenchBuffers buffer =
        BenchBuffers.allocate(
            pages, memory, 1, PoolFiller.BUFFER_BYTES / PhysicalLayout.PAGE_SIZE, "--fill to 0");
    try (PoolFiller filler = new PoolFiller(device.dma(), buffer.address(), job.seed())) {
      filler.fill(pool, job.fillPercent());
      tell(
          "pool "
              + pool.pool()
              + ": "
              + filler.held()
              + " mappings of random sizes hold "
              + filler.heldSlots()
              + " of "
              + pool.io_tlb_nslabs()
              + " slots");
      return measure();
    } finally {
      buffer.free();
    }
  }

  private DmaBenchResult measure() throws InterruptedException {
    final DmaDeviceInfo before = device.info();
    tell(
        "strategy "
            + (before.strategy() == null ? "none" : before.strategy())
            + (before.extents() == null ? "" : " (extents=" + before.extents() + ")"));
    final List<BenchBuffers> buffers = new ArrayList<>();
    final List<BenchWorker> workers = new ArrayList<>();
    final List<Thread> threads = new ArrayList<>();
    try {
      for (int i = 0; i < job.threads(); i++) {
        buffers.add(allocate());
        final BenchWorker worker = new BenchWorker(device.dma(), job, buffers.get(i), () -> phase);
        workers.add(worker);
        threads.add(
            Thread.ofPlatform()
                .daemon()
                .name("dma-map-benchmark/" + i)
                .unstarted(() -> run(worker)));
      }
      threads.forEach(Thread::start);
      warmUpAndMeasure();
    } finally {
      stop();
      end(threads, buffers);
    }
    return result(before, workers);
  }

  private BenchBuffers allocate() {
    return job.mode() == DmaBenchMode.SG_MODE
        ? BenchBuffers.allocate(pages, memory, job.granule(), 1, "-t or -g")
        : BenchBuffers.allocate(pages, memory, 1, job.granule(), "-t or -g");
  }

  /** Waits while the workers run. */
  private void warmUpAndMeasure() throws InterruptedException {
    if (!trouble.await(Math.min(WARM_UP_MS, job.runtimeMs() / 2), TimeUnit.MILLISECONDS)) {
      // a stop that comes between is not lost: the latch is open then
      phase = BenchWorker.Phase.MEASURE;
    }
    trouble.await(job.runtimeMs(), TimeUnit.MILLISECONDS);
  }

  // whatever the DMA API throws, errors included, ends the run and is the caller's
  @SuppressWarnings("CatchThrowable")
  private void run(final BenchWorker worker) {
    try {
      worker.run();
      if (worker.failed()) {
        stop();
      }
    } catch (final Throwable e) {
      thrown.compareAndSet(null, e);
      stop();
    }
  }

  /** Waits for the workers a bounded time, also for an interrupted caller; frees their pages. */
  private void end(final List<Thread> threads, final List<BenchBuffers> buffers) {
    boolean interrupted = false;
    final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(JOIN_MS);
    int hung = 0;
    for (int i = 0; i < buffers.size(); i++) {
      final Thread thread = i < threads.size() ? threads.get(i) : null;
      while (thread != null && thread.isAlive() && System.nanoTime() - deadline < 0) {
        try {
          thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        } catch (final InterruptedException e) {
          interrupted = true;
        }
      }
      if (thread != null && thread.isAlive()) {
        hung++;
      } else {
        buffers.get(i).free();
      }
    }
    if (hung > 0) {
      thrown.compareAndSet(
          null,
          new IllegalStateException(
              hung
                  + " threads hang in a map or unmap of "
                  + device.dma().name()
                  + "; they and their pages are left behind"));
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private DmaBenchResult result(final DmaDeviceInfo before, final List<BenchWorker> workers)
      throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    final Throwable failure = thrown.get();
    if (failure instanceof final RuntimeException e) {
      throw e;
    }
    if (failure != null) {
      throw new IllegalStateException("the run ended with " + failure, failure);
    }
    final DmaDeviceInfo after = device.info();
    if (workers.stream().anyMatch(BenchWorker::failed)) {
      throw new IllegalStateException(
          new FailedMap(
                  job, before, after, device.pool().orElse(null), device.dma().maxMappingSize())
              .message());
    }
    if (cancelled) {
      throw new IllegalStateException("the run was stopped with the shim");
    }
    final Tally maps = new Tally(job.percentiles());
    final Tally unmaps = new Tally(job.percentiles());
    for (final BenchWorker worker : workers) {
      maps.add(worker.maps());
      unmaps.add(worker.unmaps());
    }
    return result(before, after, maps, unmaps);
  }

  private DmaBenchResult result(
      final DmaDeviceInfo before, final DmaDeviceInfo after, final Tally maps, final Tally unmaps) {
    return new DmaBenchResult(
        job.threads(),
        job.runtimeMs() / 1000.0,
        job.node(),
        job.bits(),
        job.direction(),
        job.delayNs(),
        job.granule(),
        job.mode(),
        maps.averageUs(),
        maps.deviationUs(),
        unmaps.averageUs(),
        unmaps.deviationUs(),
        after.strategy(),
        after.extents(),
        job.fillPercent(),
        maps.count(),
        after.failedMaps() + after.noStrategyMaps() - before.failedMaps() - before.noStrategyMaps(),
        maps.averageNs(),
        maps.percentileNs(50),
        maps.percentileNs(90),
        maps.percentileNs(99),
        maps.percentileNs(99.9),
        maps.slowestNs(),
        unmaps.averageNs(),
        unmaps.percentileNs(50),
        unmaps.percentileNs(90),
        unmaps.percentileNs(99),
        unmaps.percentileNs(99.9),
        unmaps.slowestNs(),
        job.percentiles() ? clockNs() : null);
  }

  /** What two readings of the clock in a row differ by. */
  private static Long clockNs() {
    final Tally tally = new Tally(true);
    for (int i = 0; i < 20_000; i++) {
      final long before = System.nanoTime();
      tally.add(System.nanoTime() - before);
    }
    final Long median = tally.percentileNs(50);
    return median == null ? Long.valueOf(0) : median;
  }

  private void tell(final String text) {
    progress.line("dmabench: " + text);
  }
}
