package io.carom.guest.shim.dmabench;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchProgress;
import io.carom.guest.DmaBenchResult;
import io.carom.guest.PageAllocator;
import io.carom.memory.DeviceRegions;
import io.carom.memory.GuestMemory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * The DMA benchmark. Not delayed: a run that one user started must not end because another lets go.
 */
@Component(immediate = true)
public final class DmaBenchComponent implements DmaBench {
  private static final long STOP_MS = 10_000;

  private final Dma dma;
  private final DmaControl control;
  private final PageAllocator pages;
  private final GuestMemory memory;
  private final BenchRegion regions;
  private final ReentrantLock one = new ReentrantLock();
  private volatile @Nullable BenchRun running;
  private volatile boolean closed;

  /** On the guest's DMA API. */
  @Activate
  public DmaBenchComponent(
      @Reference final Dma dma,
      @Reference final DmaControl control,
      @Reference final PageAllocator pages,
      @Reference final GuestMemory memory,
      @Reference final DeviceRegions regions) {
    this.dma = dma;
    this.control = control;
    this.pages = pages;
    this.memory = memory;
    this.regions = new BenchRegion(regions, memory);
  }

  @Override
  public DmaBenchResult run(final DmaBenchJob job, final DmaBenchProgress progress)
      throws InterruptedException {
    BenchChecks.check(job);
    if (!one.tryLock()) {
      throw new IllegalStateException("ioctl: Device or resource busy: another run is going on");
    }
    try (BenchDevice device = BenchDevice.attach(dma, control, regions, job)) {
      final BenchRun run = new BenchRun(job, device, pages, memory, progress);
      running = run;
      if (closed) {
        run.cancel();
      }
      return run.execute();
    } finally {
      running = null;
      one.unlock();
    }
  }

  /** Stops a run; waits for its end a bounded time. */
  @Deactivate
  void close() throws InterruptedException {
    closed = true;
    final BenchRun run = running;
    if (run != null) {
      run.cancel();
      if (one.tryLock(STOP_MS, TimeUnit.MILLISECONDS)) {
        one.unlock();
      }
    }
  }
}
