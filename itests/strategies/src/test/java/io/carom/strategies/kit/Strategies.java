package io.carom.strategies.kit;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.examples.AlignedStrategy;
import io.carom.iommu.pool.remap.RemapStrategy;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.PoolStrategy;
import io.carom.swiotlb.dmb.DmbSettings;
import io.carom.swiotlb.dmb.DmbStrategy;
import io.carom.swiotlb.dynamic.DynamicSettings;
import io.carom.swiotlb.dynamic.DynamicStrategy;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The table of all strategies: one line for each, and every proof runs it. */
public final class Strategies {
  private static final Map<String, Supplier<DmaStrategy>> TABLE = new LinkedHashMap<>();
  private static final long POOL_LIMIT = 64 << 10; // some buffers bounce, others do not

  static {
    TABLE.put("swiotlb-fixed", () -> new FixedStrategy(FixedSettings.DEFAULTS));
    TABLE.put("swiotlb-dynamic", () -> new DynamicStrategy(DynamicSettings.DEFAULTS));
    TABLE.put("swiotlb-growing", () -> new GrowingStrategy(GrowingSettings.DEFAULTS));
    TABLE.put("swiotlb-recycling", () -> new RecyclingStrategy(RecyclingSettings.DEFAULTS));
    TABLE.put("swiotlb-magazine", () -> new MagazineStrategy(MagazineSettings.DEFAULTS));
    TABLE.put("swiotlb-lent", () -> new LentStrategy(LentSettings.DEFAULTS));
    TABLE.put(DmbStrategy.SWIOTLB_DMB, () -> new DmbStrategy(DmbSettings.DEFAULTS));
    TABLE.put(DmbStrategy.SWIOTLB_DMB + "-plain", () -> new DmbStrategy(DmbSettings.PLAIN));
    TABLE.put(AlignedStrategy.NAME_OF_IT, AlignedStrategy::new);
    TABLE.put(RemapStrategy.IOMMU_STRICT, RemapStrategy::strict);
    TABLE.put(RemapStrategy.IOMMU_LAZY, () -> RemapStrategy.lazy(FlushPlan.STRIPED));
    TABLE.put(
        PoolStrategy.IOMMU_POOL,
        () -> new PoolStrategy(PoolSettings.DEFAULTS, new BounceLimit(POOL_LIMIT)));
  }

  private Strategies() {}

  /** All strategies but {@code direct}, by name, in a fixed order. */
  public static Map<String, Supplier<DmaStrategy>> table() {
    return TABLE;
  }

  /** Each strategy that always bounces, on each kind of memory that it can work on. */
  public static List<Subject> bouncing() {
    return placing().stream().filter(s -> s.extents() != ExtentKind.IOVA).toList();
  }

  /** Each strategy that works in an IOMMU domain. */
  public static List<Subject> translated() {
    return placing().stream().filter(s -> s.extents() == ExtentKind.IOVA).toList();
  }

  private static List<Subject> placing() {
    final List<Subject> result = new ArrayList<>();
    TABLE.forEach(
        (name, strategy) -> {
          for (final ExtentKind kind : strategy.get().extents()) {
            result.add(new Subject(name, kind));
          }
        });
    return result;
  }

  /** Each strategy that can work on guest RAM, there. */
  public static List<Subject> onRam() {
    return bouncing().stream().filter(s -> s.extents() == ExtentKind.RAM).toList();
  }

  /** Each strategy that can work on a device's region, there. */
  public static List<Subject> onRegion() {
    return bouncing().stream().filter(s -> s.extents() == ExtentKind.DEVICE).toList();
  }

  /** All of them. */
  public static List<Subject> every() {
    final List<Subject> result = new ArrayList<>(all());
    result.addAll(translated());
    return result;
  }

  /** Those that bounce, and {@code direct}. */
  public static List<Subject> all() {
    final List<Subject> result = new ArrayList<>();
    result.add(new Subject(DirectStrategy.DIRECT, null));
    result.addAll(bouncing());
    return result;
  }
}
