package io.carom.swiotlb.dmb;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Bounce memory by pages, as Linux's driver of VIRTIO_F_DMB hands its region out: a bitmap of pages
 * in areas, next fit, and a cap on a mapping. In the shared scheme its weaknesses are mended: small
 * entries share a page with others of their queue, and no queue can take what keeps another going.
 */
public final class DmbStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_DMB = "swiotlb-dmb";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.DEVICE, ExtentKind.RAM)));

  private volatile DmbSettings settings;

  /** With settings that pools opened from now on get. */
  public DmbStrategy(final DmbSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final DmbSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "pages in areas, next fit, scheme " + settings.scheme();
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new DmbPool(spec, settings);
  }
}
