package io.carom.guest.shim.dmabench;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.PoolInfo;
import io.carom.guest.DmaBench;
import io.carom.guest.DmaBenchJob;
import io.carom.guest.DmaBenchMode;
import io.carom.memory.PhysicalLayout;
import org.jspecify.annotations.Nullable;

/**
 * Why a map of a run failed, from the core's counters, and what to change. The first words are
 * those of the kernel's tool for ENOMEM.
 */
final class FailedMap {
  private final DmaBenchJob job;
  private final DmaDeviceInfo before;
  private final DmaDeviceInfo after;
  private final @Nullable PoolInfo pool;
  private final long limit;

  /**
   * A failure.
   *
   * @param before the device before the run
   * @param after the device after it
   * @param pool the pool that it maps from, or null
   * @param limit largest mapping that can succeed
   */
  FailedMap(
      final DmaBenchJob job,
      final DmaDeviceInfo before,
      final DmaDeviceInfo after,
      final @Nullable PoolInfo pool,
      final long limit) {
    this.job = job;
    this.before = before;
    this.after = after;
    this.pool = pool;
    this.limit = limit;
  }

  /** One line. */
  String message() {
    return "ioctl: Cannot allocate memory: " + what() + " failed: " + why();
  }

  private String what() {
    return job.mode() == DmaBenchMode.SG_MODE
        ? "a map of a list of " + job.granule() + " pages"
        : "a map of " + bytes() + " bytes";
  }

  private long bytes() {
    return job.mode() == DmaBenchMode.SG_MODE
        ? PhysicalLayout.PAGE_SIZE
        : BenchChecks.bufferBytes(job);
  }

  private String why() {
    final String strategy = after.strategy() == null ? "no strategy" : after.strategy();
    if (after.noStrategyMaps() > before.noStrategyMaps()) {
      return "no strategy; start one, or set strategy.fallback of io.carom.dma.core";
    }
    if (after.tooBig() > before.tooBig()) {
      return "too big, " + strategy + " maps at most " + limit + " bytes; lower -g";
    }
    if (after.mask() > before.mask()) {
      return "beyond the device's mask 0x"
          + Long.toHexString(BenchChecks.mask(job.bits()))
          + "; raise -b, or use a strategy that bounces to where it reaches";
    }
    if (after.strategyErrors() > before.strategyErrors()) {
      return "strategy " + strategy + " failed; see the log";
    }
    final PoolInfo from = pool;
    if (from == null) {
      return strategy + " has no pool";
    }
    if (after.throttled() > before.throttled()) {
      return "pool " + from.pool() + " is throttled" + used(from) + knob(from);
    }
    if (after.fragmented() > before.fragmented()) {
      return "pool "
          + from.pool()
          + " is fragmented, its largest free run is "
          + from.largestFreeRunBytes()
          + " bytes"
          + used(from)
          + knob(from);
    }
    return "pool " + from.pool() + " is full" + used(from) + knob(from);
  }

  private static String used(final PoolInfo from) {
    return ", used " + from.io_tlb_used() + " of " + from.io_tlb_nslabs() + " slots";
  }

  private String knob(final PoolInfo from) {
    return "; lower -t, -g"
        + (job.fillPercent() > 0 ? " or --fill" : "")
        + (DmaBench.DEVICE.equals(from.device())
            ? ", or raise --region"
            : ", or raise slots of " + from.strategy());
  }
}
