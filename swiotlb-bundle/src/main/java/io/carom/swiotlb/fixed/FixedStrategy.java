package io.carom.swiotlb.fixed;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Linux's fixed software IO TLB: slots of 2 KiB in sets of 128, a mapping within one set, areas
 * with locks of their own, next fit.
 */
public final class FixedStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_FIXED = "swiotlb-fixed";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile FixedSettings settings;

  /** With settings that pools opened from now on get. */
  public FixedStrategy(final FixedSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final FixedSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "fixed pool of 2 KiB slots in sets of 128, one area per stripe";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new FixedPool(spec, settings);
  }
}
