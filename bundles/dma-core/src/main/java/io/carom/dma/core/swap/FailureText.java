package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.Failures;
import io.carom.dma.core.memory.RestrictedSpace;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.Refusal;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One line about a failed map: the reason, the pool, its numbers as they are now, and the property
 * to turn. Under the kernel's words where they are true, and only there.
 */
final class FailureText {
  private final Function<Pool, @Nullable Choice> choices;

  /** With what tells what a pool was opened for. */
  FailureText(final Function<Pool, @Nullable Choice> choices) {
    this.choices = choices;
  }

  /**
   * The line.
   *
   * @param code of {@link Failures}
   */
  String of(final int code, final DeviceDma device) {
    final Generation generation = device.mapper().current();
    final Pool pool = generation.pool;
    if (code == Failures.NO_STRATEGY || pool == null) {
      return "no strategy; start one that is legal for the device, or set strategy or"
          + " strategy.fallback of io.carom.dma.core";
    }
    final long size = device.mapper().failures().lastSize(code);
    if (code == Failures.STRATEGY_ERROR) {
      return "strategy of pool "
          + pool.name()
          + " failed: "
          + pool.lastFault()
          + "; use another one, see dma:use";
    }
    if (code == Failures.IOMMU) {
      return "the IOMMU did not map "
          + size
          + " bytes for pool "
          + pool.name()
          + "; see iommu:domains and the guest's log, or use another strategy";
    }
    return switch (Refusal.values()[code]) {
      case TOO_BIG -> tooBig(device, generation, pool, size);
      case MASK -> mask(device, pool);
      case FRAGMENTED -> fragmented(pool, size);
      case FULL -> full(pool, size);
      case THROTTLED ->
          "throttled: pool "
              + pool.name()
              + " stayed above its high mark, "
              + used(pool.info())
              + "; raise throttleTimeoutMs of io.carom.dma.core, or "
              + knob(pool);
    };
  }

  private static String tooBig(
      final DeviceDma device, final Generation generation, final Pool pool, final long size) {
    if (size <= generation.maxMappingSize) {
      return "too big: "
          + size
          + " bytes cannot be placed in pool "
          + pool.name()
          + " within the device's boundary mask 0x"
          + Long.toHexString(device.spec().boundaryMask())
          + " and alignment masks 0x"
          + Long.toHexString(device.spec().minAlignMask())
          + ", 0x"
          + Long.toHexString(device.spec().allocAlignMask())
          + "; map smaller parts";
    }
    return "too big: "
        + size
        + " bytes are more than the limit of "
        + generation.maxMappingSize
        + " of pool "
        + pool.name()
        + "; map smaller parts, or set strategy of io.carom.dma.core to one with a higher limit";
  }

  private static String mask(final DeviceDma device, final Pool pool) {
    return "not reachable under the device's mask 0x"
        + Long.toHexString(device.spec().dmaMask())
        + (pool.extents() == null
            ? "; set strategy of io.carom.dma.core to one that bounces"
            : ": bounce memory of pool "
                + pool.name()
                + " lies above it; set strategy of io.carom.dma.core to one with other extents");
  }

  private String fragmented(final Pool pool, final long size) {
    final PoolInfo info = pool.info();
    return "fragmented: "
        + size
        + " bytes wanted, largest free run "
        + info.largestFreeRunBytes()
        + " bytes, "
        + used(info)
        + " in pool "
        + pool.name()
        + "; "
        + knob(pool);
  }

  private String full(final Pool pool, final long size) {
    final PoolInfo info = pool.info();
    final long wanted = (size - 1) / Extent.SLOT_SIZE + 1;
    if (info.io_tlb_nslabs() - info.io_tlb_used() < wanted) {
      return "swiotlb buffer is full (sz: "
          + size
          + " bytes), total "
          + info.io_tlb_nslabs()
          + " (slots), used "
          + info.io_tlb_used()
          + " (slots), pool "
          + pool.name()
          + "; "
          + knob(pool);
    }
    return "full: no room for "
        + size
        + " bytes in pool "
        + pool.name()
        + " then, now "
        + used(info)
        + ", at most "
        + info.io_tlb_used_hiwater()
        + "; "
        + knob(pool);
  }

  private static String used(final PoolInfo info) {
    return info.io_tlb_used() + " of " + info.io_tlb_nslabs() + " slots used";
  }

  /** What makes a pool larger. */
  private String knob(final Pool pool) {
    final Choice choice = choices.apply(pool);
    final @Nullable RestrictedSpace restricted = choice == null ? null : choice.restricted();
    if (restricted != null) {
      return "raise size of pool " + restricted.name() + " in restrictedPools of io.carom.dma.core";
    }
    if (pool.extents() == ExtentKind.DEVICE) {
      return "raise regionBytes of the device";
    }
    if (choice != null && choice.slots() != 0) {
      return "raise slots in swiotlb=" + choice.slots() + " of io.carom.dma.core";
    }
    final String property = choice == null ? "slots" : choice.ref().strategy().sizeProperty();
    return "raise " + property + " of " + pool.strategy() + ", or set swiotlb of io.carom.dma.core";
  }
}
