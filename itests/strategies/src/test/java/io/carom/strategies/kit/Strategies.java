package io.carom.strategies.kit;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The table of all strategies: one line for each, and every proof runs it. */
public final class Strategies {
  private static final Map<String, Supplier<DmaStrategy>> TABLE = new LinkedHashMap<>();

  static {
    TABLE.put("swiotlb-fixed", () -> new FixedStrategy(FixedSettings.DEFAULTS));
  }

  private Strategies() {}

  /** All strategies that bounce, by name, in a fixed order. */
  public static Map<String, Supplier<DmaStrategy>> table() {
    return TABLE;
  }

  /** Each strategy on each kind of memory that it can work on. */
  public static List<Subject> bouncing() {
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

  /** Those that bounce, and {@code direct}. */
  public static List<Subject> all() {
    final List<Subject> result = new ArrayList<>();
    result.add(new Subject(DirectStrategy.DIRECT, null));
    result.addAll(bouncing());
    return result;
  }
}
