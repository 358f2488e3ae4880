package io.carom.swiotlb.dynamic;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * One allocation for each mapping of a page or more, and a small fixed pool for the rest: the
 * second version of the series that proposed a dynamic software IO TLB for Linux in May 2023.
 */
public final class DynamicStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_DYNAMIC = "swiotlb-dynamic";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile DynamicSettings settings;

  /** With settings that pools opened from now on get. */
  public DynamicStrategy(final DynamicSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final DynamicSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "memory of its own for each mapping of a page or more, a small fixed pool behind it";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new DynamicPool(spec, settings);
  }
}
