package io.carom.swiotlb.growing;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A fixed pool that grows: more pools are added when it is full, a map that cannot wait for one
 * gets memory of its own meanwhile, and pools that are idle are given back. The design of Linux
 * since 6.6, with alignment kept in the memory for one mapping, a ceiling, and the way back.
 */
public final class GrowingStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_GROWING = "swiotlb-growing";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile GrowingSettings settings;

  /** With settings that pools opened from now on get. */
  public GrowingStrategy(final GrowingSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final GrowingSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "fixed pool that more pools are added to when it is full, and given back when they are"
        + " idle";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public String sizeProperty() {
    return "maxSlots";
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new GrowingPool(spec, settings);
  }
}
