package io.carom.benchmarks.guest;

import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.swiotlb.dynamic.DynamicSettings;
import io.carom.swiotlb.dynamic.DynamicStrategy;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
import io.carom.swiotlb.growing.GrowingSettings;
import io.carom.swiotlb.growing.GrowingStrategy;
import io.carom.swiotlb.lent.LentSettings;
import io.carom.swiotlb.lent.LentStrategy;
import io.carom.swiotlb.magazine.MagazineSettings;
import io.carom.swiotlb.magazine.MagazineStrategy;
import io.carom.swiotlb.recycling.RecyclingSettings;
import io.carom.swiotlb.recycling.RecyclingStrategy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/** The strategies that can be measured, each with how it is made: one line each. */
public final class Strategies {
  /** By name; the argument is the size that its pools are asked to have, in bytes. */
  private static final Map<String, LongFunction<DmaStrategy>> MAKERS = new LinkedHashMap<>();

  static {
    MAKERS.put(FixedStrategy.SWIOTLB_FIXED, Strategies::fixed);
    MAKERS.put("swiotlb-magazine", bytes -> new MagazineStrategy(MagazineSettings.DEFAULTS));
    MAKERS.put("swiotlb-dynamic", bytes -> new DynamicStrategy(DynamicSettings.DEFAULTS));
    MAKERS.put("swiotlb-growing", bytes -> new GrowingStrategy(GrowingSettings.DEFAULTS));
    MAKERS.put("swiotlb-recycling", bytes -> new RecyclingStrategy(RecyclingSettings.DEFAULTS));
    MAKERS.put("swiotlb-lent", bytes -> new LentStrategy(LentSettings.DEFAULTS));
  }

  private Strategies() {}

  /** Their names, in the order in which they are measured. */
  public static List<String> names() {
    return List.copyOf(MAKERS.keySet());
  }

  /**
   * Makes one.
   *
   * @param poolBytes size of its pools
   * @throws IllegalArgumentException for a name that is not known; the message lists the valid ones
   */
  public static DmaStrategy make(final String name, final long poolBytes) {
    final LongFunction<DmaStrategy> maker = MAKERS.get(name);
    if (maker == null) {
      throw new IllegalArgumentException(
          "unknown strategy '" + name + "'; valid: " + String.join(", ", names()));
    }
    return new SizedStrategy(maker.apply(poolBytes), poolBytes);
  }

  private static DmaStrategy fixed(final long poolBytes) {
    return new FixedStrategy(new FixedSettings(poolBytes >> Extent.SLOT_SHIFT, 0, Fitting.AUTO));
  }
}
