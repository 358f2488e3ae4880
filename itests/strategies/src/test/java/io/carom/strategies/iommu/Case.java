package io.carom.strategies.iommu;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.swap.IommuSettings;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.iommu.pool.remap.RemapStrategy;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.PoolStrategy;
import io.carom.iommu.pool.slots.Zeroing;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a proof runs on.
 *
 * @param kind strict, lazy or pool
 * @param zeroing policy of the pool
 * @param untrusted whether what shares a granule is hidden from the devices
 */
record Case(String kind, Zeroing zeroing, boolean untrusted) {
  static final String NAME = "proof";
  static final Subject SUBJECT = new Subject(NAME, ExtentKind.IOVA);
  static final long LONG_MS = 1_000_000;
  private static final int SLOTS = 64;
  private static final long LIMIT = 1 << 20;
  private static final int ID = 100;

  static List<Case> all() {
    final List<Case> result = new ArrayList<>();
    for (final boolean untrusted : new boolean[] {false, true}) {
      result.add(new Case("strict", Zeroing.NECESSARY_ONLY, untrusted));
      result.add(new Case("lazy", Zeroing.NECESSARY_ONLY, untrusted));
      for (final Zeroing zeroing : Zeroing.values()) {
        result.add(new Case("pool", zeroing, untrusted));
      }
    }
    return result;
  }

  static Stream<Case> pools() {
    return all().stream().filter(Case::pool);
  }

  static Stream<Case> kinds() {
    return all().stream().filter(c -> c.zeroing == Zeroing.NECESSARY_ONLY);
  }

  boolean lazy() {
    return kind.equals("lazy");
  }

  boolean pool() {
    return kind.equals("pool");
  }

  /** Whether a buffer that does not fill its granules is bounced. */
  boolean bounces() {
    return pool() || untrusted;
  }

  DmaStrategy strategy(final long evictMs, final BounceLimit limit) {
    return switch (kind) {
      case "strict" -> RemapStrategy.strict();
      case "lazy" -> RemapStrategy.lazy(new FlushPlan(true, 256, LONG_MS)); // by hand only
      default -> new PoolStrategy(new PoolSettings(SLOTS, zeroing, evictMs), limit);
    };
  }

  IommuSettings settings(final List<Set<String>> groups) {
    return new IommuSettings(groups, Set.of(), untrusted);
  }

  /** A world in real time, in which nothing is evicted. */
  World world() {
    return world(Timing.SYSTEM);
  }

  /** A world in which nothing is evicted. */
  World world(final Timing timing) {
    return world(timing, LONG_MS, new BounceLimit(LIMIT), List.of());
  }

  World world(
      final Timing timing,
      final long evictMs,
      final BounceLimit limit,
      final List<Set<String>> groups) {
    final World world = new World(SUBJECT, new Guest(16, 48, false, 0), timing, settings(groups));
    world.add(NAME, strategy(evictMs, limit), ID);
    return world;
  }

  /** A world whose devices begin with something else. */
  World world(final Subject first, final List<Set<String>> groups) {
    final World world =
        new World(first, new Guest(16, 16, false, 0), Timing.SYSTEM, settings(groups));
    world.add(NAME, strategy(20, new BounceLimit(LIMIT)), ID);
    return world;
  }

  static Driven device(final World world, final String name) {
    return world.device(DmaDeviceSpec.of(name, null));
  }
}
