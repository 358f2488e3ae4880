package io.carom.swiotlb.magazine;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Carom's own software IO TLB: per-stripe magazines of recently freed runs, so that a buffer is
 * mostly used again while it is in the cache, over a bitmap that knows its longest free runs, so
 * that a map that cannot succeed fails at once.
 */
public final class MagazineStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_MAGAZINE = "swiotlb-magazine";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile MagazineSettings settings;

  /** With settings that pools opened from now on get. */
  public MagazineStrategy(final MagazineSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final MagazineSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "magazines of recently freed runs per stripe, over a bitmap with a free-run summary";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new MagazinePool(spec, settings);
  }
}
