package io.carom.dma.core.swap;

import io.carom.dma.PoolInfo;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.Failures;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Refusal;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says why maps fail: at most one line for each device and second, off the map path, under the
 * kernel's words where they are true, and with the knob to turn.
 */
final class FailureLog {
  private static final Logger LOG = LoggerFactory.getLogger("io.carom.dma.failures");

  private final Map<DeviceDma, long[]> seen = new HashMap<>();

  /** Looks at a device's counters and writes what is new. */
  void check(final DeviceDma device) {
    final Failures failures = device.mapper().failures();
    final long[] now = {
      failures.of(Refusal.FULL),
      failures.of(Refusal.FRAGMENTED),
      failures.of(Refusal.TOO_BIG),
      failures.of(Refusal.MASK),
      failures.strategyErrors(),
      failures.noStrategy.sum()
    };
    final long[] before = seen.put(device, now);
    for (int i = 0; i < now.length; i++) {
      final long count = now[i] - (before == null ? 0 : before[i]);
      if (count > 0) {
        LOG.warn("{}: {} maps failed: {}", device.name(), count, text(i, device));
      }
    }
  }

  /** Forgets a device. */
  void forget(final DeviceDma device) {
    seen.remove(device);
  }

  private static String text(final int reason, final DeviceDma device) {
    final Generation generation = device.mapper().current();
    final Pool pool = generation.pool;
    final long size = device.mapper().failures().lastSize();
    if (reason == 5) {
      return "no strategy; start one, or set strategy.fallback of io.carom.dma.core";
    }
    if (pool == null) {
      return "the strategy is gone";
    }
    if (reason == 4) {
      return "strategy " + pool.strategy() + " failed: " + pool.lastFault();
    }
    if (reason == Refusal.MASK.ordinal()) {
      return "not reachable under the device's mask 0x"
          + Long.toHexString(device.spec().dmaMask())
          + "; use a strategy that bounces";
    }
    if (reason == Refusal.TOO_BIG.ordinal()) {
      return size
          + " bytes are more than the "
          + generation.maxMappingSize
          + " that "
          + pool.strategy()
          + " can map";
    }
    final PoolInfo info = pool.info();
    final String counts =
        "swiotlb buffer is full (sz: "
            + size
            + " bytes), total "
            + info.io_tlb_nslabs()
            + " (slots), used "
            + info.io_tlb_used()
            + " (slots)";
    return (reason == Refusal.FRAGMENTED.ordinal()
            ? "fragmented, largest free run " + info.largestFreeRunBytes() + " bytes: "
            : "")
        + counts
        + (pool.device() == null
            ? "; raise slots of " + pool.strategy()
            : "; raise regionBytes of the device");
  }
}
