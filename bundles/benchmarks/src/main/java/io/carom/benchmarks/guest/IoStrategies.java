package io.carom.benchmarks.guest;

import io.carom.dma.spi.DmaStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The strategies that I/O can be measured on, each variant with how it is made. */
public final class IoStrategies {
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
   * @param maker makes the strategy, or null for the one that is the core's own
   */
  record Recipe(Variant variant, @Nullable Function<IoSpec, DmaStrategy> maker) {}

  private static final List<Recipe> RECIPES = new ArrayList<>();

  static {
    RECIPES.add(new Recipe(new Variant(BenchDevice.DIRECT, null), null));
    RECIPES.add(
        new Recipe(
            new Variant("swiotlb-magazine", null),
            spec -> Strategies.make("swiotlb-magazine", BenchDevice.POOL_BYTES)));
  }

  private IoStrategies() {}

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
