package io.carom.swiotlb.lent;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * One range, larger than needed, with one slot map: mappings use its lower part, and the upper one
 * is lent to users of movable memory until it is wanted back. As it was proposed for Linux in place
 * of pools that grow.
 */
public final class LentStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_LENT = "swiotlb-lent";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile LentSettings settings;

  /** With settings that pools opened from now on get. */
  public LentStrategy(final LentSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final LentSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "one large range whose unused part is lent to users of movable memory";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new LentPool(spec, settings);
  }
}
