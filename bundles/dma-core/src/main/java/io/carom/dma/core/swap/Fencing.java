package io.carom.dma.core.swap;

import io.carom.dma.DmaFence;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.map.Revoker;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the mappings away that outlived a drain whose policy is {@code revoke}.
 *
 * <p><b>Order.</b> Nothing is taken before it is certain that the device reaches it no more. The
 * driver is asked first ({@link DmaFence}): on a thread of its own and outside every lock, since it
 * resets its device, ends its requests and unmaps their buffers meanwhile. When it says in time
 * that the reset is complete, whatever is still mapped is revoked ({@link Revoker}). An answer that
 * comes late counts for nothing.
 *
 * <p>Without that, but behind an IOMMU, taking the translations away does the same for what has
 * addresses of its domain: an unmap returns when accesses that were begun have ended. But the
 * driver knows nothing of it, and may be about to take a request for done whose bytes lie in a
 * bounce buffer: so a mapping that is copied back is not revoked in this way, and neither is one
 * that the device reaches at an address of RAM. If there is any such, nothing is revoked.
 */
final class Fencing {
  private static final Logger LOG = LoggerFactory.getLogger(Fencing.class);

  /** How long a fence may take beyond the timeout that it was given, milliseconds. */
  private static final long MARGIN_MS = 250;

  private static final long PAUSE_NS = 200_000;

  private final PoolStore store;
  private final Timing timing;

  Fencing(final PoolStore store, final Timing timing) {
    this.store = store;
    this.timing = timing;
  }

  /**
   * What came of it.
   *
   * @param done whether what was left could be taken away; else nothing was
   * @param revoked how many mappings were
   */
  record Outcome(boolean done, long revoked) {}

  /** Fences the device of a swap and revokes what lives of a generation that nobody enters. */
  Outcome revoke(final Transition swap, final Generation leaving, final Settings settings) {
    final long before = leaving.live();
    if (fenced(swap, settings)) {
      final long revoked = revokeAll(swap, leaving, settings);
      swap.note(
          "fenced: "
              + (before - revoked - leaving.live())
              + " of "
              + before
              + " mappings ended by the driver, "
              + revoked
              + " revoked");
      return new Outcome(true, revoked);
    }
    if (!untranslated(swap, leaving)) {
      return new Outcome(false, 0);
    }
    final long revoked = revokeAll(swap, leaving, settings);
    swap.note("taken out of the IOMMU domain instead: " + revoked + " revoked");
    return new Outcome(true, revoked);
  }

  /** Has the driver fence its device; what kept it from that is noted. */
  private static boolean fenced(final Transition swap, final Settings settings) {
    final DeviceDma device = swap.device;
    final DmaFence fence = device.fence();
    if (device.isClosed()) {
      swap.note("not fenced: the device is closed");
      return false;
    }
    if (fence == null) {
      swap.note("not fenced: the driver of " + device.name() + " has no fence");
      return false;
    }
    final Duration timeout = Duration.ofMillis(settings.fenceMs());
    final CompletableFuture<Boolean> answer = new CompletableFuture<>();
    final Thread thread =
        Thread.ofPlatform()
            .daemon()
            .name("dma-fence-" + device.name())
            .start(
                () -> {
                  try {
                    answer.complete(fence.fence(timeout));
                  } catch (final RuntimeException | Error e) {
                    LOG.error("{}: the fence failed", device.name(), e);
                    answer.completeExceptionally(e);
                  }
                });
    try {
      if (answer.get(settings.fenceMs() + MARGIN_MS, TimeUnit.MILLISECONDS)) {
        return true;
      }
      swap.note("not fenced: the reset did not end within " + settings.fenceMs() + " ms (fenceMs)");
    } catch (final ExecutionException e) {
      swap.note("not fenced: " + e.getCause());
    } catch (final TimeoutException e) {
      final StackTraceElement[] stack = thread.getStackTrace();
      swap.note(
          "not fenced: the driver's fence did not return within "
              + settings.fenceMs()
              + " ms (fenceMs)"
              + (stack.length == 0 ? "" : ", it is at " + stack[0]));
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      swap.note("not fenced: the DMA core stops");
    }
    return false;
  }

  /** Whether taking translations away is as good as a reset for all that lives. */
  private boolean untranslated(final Transition swap, final Generation leaving) {
    final DeviceDma device = swap.device;
    final DmaDomain domain = device.mapper().domain();
    final Pool pool = leaving.pool;
    if (domain == null
        || pool == null
        || pool.index() != domain.index()
        || !domain.guest().alive()
        || !domain.devices().contains(device.name())) {
      return false;
    }
    final long needing = device.revoker().needingReset(leaving);
    if (needing != 0) {
      swap.note(
          "nor taken out of the IOMMU domain: "
              + needing
              + " mappings are copied back, or reached in RAM");
      return false;
    }
    // Its extents must not be used again before they are unmapped: no strategy hands them out.
    if (!store.disableIfRetired(pool, false)) {
      swap.note("nor taken out of the IOMMU domain: other devices use the pool");
      return false;
    }
    return true;
  }

  /** Revokes until nothing lives: an unmap that is copying is waited for, at most so long. */
  private long revokeAll(final Transition swap, final Generation leaving, final Settings settings) {
    final long deadline = timing.nanoTime() + TimeUnit.MILLISECONDS.toNanos(settings.fenceMs());
    long revoked = 0;
    while (true) {
      revoked += swap.device.revoker().revoke(leaving);
      if (leaving.live() == 0) {
        return revoked;
      }
      if (timing.nanoTime() - deadline >= 0 || Thread.currentThread().isInterrupted()) {
        swap.note(
            leaving.live()
                + " mappings were being ended by their driver and are left to it after "
                + settings.fenceMs()
                + " ms (fenceMs)");
        return revoked;
      }
      timing.pause(PAUSE_NS);
    }
  }
}
