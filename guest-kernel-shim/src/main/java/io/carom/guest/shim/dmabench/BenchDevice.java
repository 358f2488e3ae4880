package io.carom.guest.shim.dmabench;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The pseudo device of a run: attached with the wanted mask and strategy, detached by closing. */
final class BenchDevice implements AutoCloseable {
  private static final long SWAP_MS = 20_000;
  private static final long RETRY_MS = 5;

  private final DmaControl control;
  private final BenchRegion regions;
  private final long regionBytes;
  private final DmaDevice device;

  private BenchDevice(
      final DmaControl control,
      final BenchRegion regions,
      final long regionBytes,
      final DmaDevice device) {
    this.control = control;
    this.regions = regions;
    this.regionBytes = regionBytes;
    this.device = device;
  }

  /**
   * Attaches the device.
   *
   * @throws IllegalArgumentException when it may not have the strategy; nothing is attached then
   */
  static BenchDevice attach(
      final Dma dma, final DmaControl control, final BenchRegion regions, final DmaBenchJob job)
      throws InterruptedException {
    final boolean own = BenchChecks.wantsRegion(job);
    final DmaDeviceSpec.Region region = own ? regions.make(job.regionBytes()) : null;
    final BenchDevice made;
    try {
      made =
          new BenchDevice(
              control,
              regions,
              own ? job.regionBytes() : 0,
              dma.attach(
                  DmaDeviceSpec.of(DmaBench.DEVICE, region)
                      .withDmaMask(BenchChecks.mask(job.bits()))));
    } catch (final RuntimeException e) {
      if (own) {
        regions.release(job.regionBytes(), true);
      }
      throw e;
    }
    boolean ready = false;
    try {
      made.device.driver(DmaBench.DEVICE);
      made.device.negotiated(new Negotiation(false, true));
      final String strategy = job.strategy();
      if (strategy != null) {
        made.use(strategy, job.extents());
      }
      ready = true;
      return made;
    } finally {
      if (!ready) {
        made.close();
      }
    }
  }

  /** Its DMA operations. */
  DmaDevice dma() {
    return device;
  }

  /** What the core says of it. */
  DmaDeviceInfo info() {
    return control.devices().stream()
        .filter(info -> info.device().equals(device.name()))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(device.name() + " is not attached any more"));
  }

  /** The pool that its maps take from now, if it bounces. */
  Optional<PoolInfo> pool() {
    final DmaDeviceInfo info = info();
    return control.pools().stream()
        .filter(
            pool ->
                pool.strategy().equals(info.strategy())
                    && pool.extents() == info.extents()
                    && pool.state().equals("ACTIVE")
                    && (pool.device() == null || pool.device().equals(device.name())))
        .findFirst();
  }

  private void use(final String strategy, final @Nullable ExtentKind extents)
      throws InterruptedException {
    final long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SWAP_MS);
    final SwapOptions options = new SwapOptions(extents, null, null);
    while (true) {
      try {
        await(control.use(device.name(), strategy, options), strategy);
        return;
      } catch (final IllegalStateException e) {
        // a strategy that has just come makes the core swap by itself
        if (System.nanoTime() - deadline > 0
            || control.transitions().stream().noneMatch(t -> t.device().equals(device.name()))) {
          throw e;
        }
        Thread.sleep(RETRY_MS);
      }
    }
  }

  private static void await(final CompletionStage<?> swap, final String strategy)
      throws InterruptedException {
    try {
      swap.toCompletableFuture().get(SWAP_MS, TimeUnit.MILLISECONDS);
    } catch (final ExecutionException e) {
      if (e.getCause() instanceof final RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("the swap to " + strategy + " failed: " + e.getCause(), e);
    } catch (final TimeoutException e) {
      throw new IllegalStateException(
          "the swap to " + strategy + " is not over after " + SWAP_MS + " ms; see dma:transition",
          e);
    }
  }

  @Override
  public void close() {
    final boolean clean = device.liveMappings() == 0;
    device.close();
    if (regionBytes > 0) {
      regions.release(regionBytes, clean);
    }
  }
}
