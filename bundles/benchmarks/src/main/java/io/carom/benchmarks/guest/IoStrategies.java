package io.carom.benchmarks.guest;

import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.iommu.pool.remap.RemapStrategy;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.PoolStrategy;
import io.carom.iommu.pool.slots.Zeroing;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The strategies that I/O can be measured on, each variant with how it is made. */
public final class IoStrategies {
  /** All that the pool has a class for is bounced, so that it is compared at every size. */
  private static final long BOUNCE_LIMIT = 512L << 10;

  /**
   * A strategy in one variant.
   *
   * @param strategy name of the strategy
   * @param variant name of the variant, or null where there is none
   */
  public record Variant(String strategy, @Nullable String variant) {
    /** Both names, for people. */
    public String title() {
      return variant == null ? strategy : strategy + " " + variant;
    }
  }

  /**
   * How one is made.
   *
   * @param variant which it is
   * @param side what stands between the device and memory
   * @param maker makes the strategy, or null for the one that is the core's own
   */
  record Recipe(
      Variant variant, Side side, @Nullable Function<IoSpec, DmaStrategy> maker) {}

  /** What stands between the device and memory. */
  enum Side {
    /** Nothing. */
    NONE,
    /** An IOMMU that is asked with one kick for a list. */
    BATCHED,
    /** An IOMMU that is asked with a kick for each piece. */
    UNBATCHED
  }

  private static final List<Recipe> RECIPES = new ArrayList<>();

  static {
    add("direct", null, Side.NONE, null);
    add(RemapStrategy.IOMMU_STRICT, "unbatched", Side.UNBATCHED, spec -> RemapStrategy.strict());
    add(RemapStrategy.IOMMU_STRICT, "batched", Side.BATCHED, spec -> RemapStrategy.strict());
    add(
        RemapStrategy.IOMMU_LAZY,
        "striped",
        Side.BATCHED,
        spec -> RemapStrategy.lazy(FlushPlan.STRIPED));
    add(
        RemapStrategy.IOMMU_LAZY,
        "single",
        Side.BATCHED,
        spec -> RemapStrategy.lazy(FlushPlan.SINGLE));
    for (final Zeroing zeroing : Zeroing.values()) {
      add(
          PoolStrategy.IOMMU_POOL,
          zeroing.toString(),
          Side.BATCHED,
          spec -> pool(spec, zeroing));
    }
    add(
        "swiotlb-magazine",
        null,
        Side.NONE,
        spec -> Strategies.make("swiotlb-magazine", BenchDevice.POOL_BYTES));
  }

  private IoStrategies() {}

  private static void add(
      final String strategy,
      final @Nullable String variant,
      final Side side,
      final @Nullable Function<IoSpec, DmaStrategy> maker) {
    RECIPES.add(new Recipe(new Variant(strategy, variant), side, maker));
  }

  private static DmaStrategy pool(final IoSpec spec, final Zeroing zeroing) {
    final PoolSettings usual = PoolSettings.DEFAULTS;
    final long slots = Math.max(usual.slotsPerClass(), spec.live());
    return new PoolStrategy(
        new PoolSettings(Math.toIntExact(slots), zeroing, usual.evictMs()),
        new BounceLimit(BOUNCE_LIMIT));
  }

  /** What there is, in the order in which it is measured. */
  public static List<Variant> variants() {
    return RECIPES.stream().map(Recipe::variant).toList();
  }

  /**
   * How one is made.
   *
   * @throws IllegalArgumentException when it is unknown; the message lists the valid ones
   */
  static Recipe of(final IoSpec spec) {
    final Variant wanted = new Variant(spec.strategy(), spec.variant());
    return RECIPES.stream()
        .filter(recipe -> recipe.variant().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown strategy '"
                        + wanted.title()
                        + "'; valid: "
                        + String.join(", ", variants().stream().map(Variant::title).toList())));
  }
}
