package io.carom.swiotlb.recycling;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Buffers that a device keeps after their unmap and uses again: as in the bounce code of the
 * SEV-SNP guests on VMBus, and with the size classes of cc-swiotlb. In a confidential guest, where
 * a page is shared with the host by a hypercall, nearly no mapping makes one.
 */
public final class RecyclingStrategy implements DmaStrategy {
  /** Its name. */
  public static final String SWIOTLB_RECYCLING = "swiotlb-recycling";

  private static final Set<ExtentKind> KINDS =
      Collections.unmodifiableSet(new LinkedHashSet<>(List.of(ExtentKind.RAM, ExtentKind.DEVICE)));

  private volatile RecyclingSettings settings;

  /** With settings that pools opened from now on get. */
  public RecyclingStrategy(final RecyclingSettings settings) {
    this.settings = settings;
  }

  /** Changes what pools opened from now on get. */
  public void settings(final RecyclingSettings next) {
    settings = next;
  }

  @Override
  public String description() {
    return "buffers of a device by size class, kept after unmap, with decay and throttling";
  }

  @Override
  public Set<ExtentKind> extents() {
    return KINDS;
  }

  @Override
  public boolean perDevice() {
    return true;
  }

  @Override
  public String sizeProperty() {
    return "maxSlots";
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new RecyclingPool(spec, settings);
  }
}
