package io.carom.benchmarks.plan;

import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import java.util.ArrayList;
import java.util.List;

/** Which tasks a run consists of. */
public final class Selection {
  /** Rounds of a figure in the selection. */
  public static final int ROUNDS = 5;

  /** Rounds of a figure in the whole matrix. */
  public static final int FULL_ROUNDS = 7;

  /** What the selection takes, with the container's start and a margin in 55 s. */
  public static final long SECONDS = 49;

  /** The strategies that are measured at every size. */
  public static final List<String> MAIN = List.of("swiotlb-fixed", "swiotlb-magazine");

  /** Strategies whose price against the fixed one is asked for. */
  static final List<String> PAIRED = List.of("swiotlb-dynamic", "swiotlb-growing");

  static final List<Long> SIZES = List.of(512L, 2048L, 4096L, 65_536L, 262_144L);
  static final List<Long> FEW_SIZES = List.of(4096L, 65_536L);
  static final List<Long> FAILING_POOLS = List.of(64L << 20, 1L << 30);
  static final List<Long> LIVE = List.of(1L, 1_000L, 1_000_000L);

  private static final int MOST_FILL = 90;
  private static final int PAIRS = 25;
  private static final int FULL_PAIRS = 41;

  private Selection() {}

  /** The tasks, of what there is to measure. */
  public static List<Task> tasks(
      final List<String> strategies,
      final List<String> lookups,
      final boolean full,
      final long seed) {
    final List<Task> tasks = new ArrayList<>();
    for (final String strategy : strategies) {
      if (full) {
        matrix(tasks, strategy, seed);
      } else {
        selected(tasks, strategy, seed);
      }
    }
    for (final String lookup : lookups) {
      tasks.add(Task.lookup(lookup, LIVE, full ? FULL_ROUNDS : ROUNDS, seed));
    }
    for (final String strategy : strategies) {
      if (PAIRED.contains(strategy)) {
        tasks.add(
            Task.pairs(strategy, full ? FULL_ROUNDS : ROUNDS, full ? FULL_PAIRS : PAIRS, seed));
      }
    }
    return tasks;
  }

  private static void selected(final List<Task> tasks, final String strategy, final long seed) {
    final ExtentKind ram = ExtentKind.RAM;
    if (!MAIN.contains(strategy)) {
      final List<RowGroup> few = groups(FEW_SIZES, List.of(DmaDirection.TO_DEVICE), false);
      tasks.add(Task.rows(strategy, ram, true, false, few, List.of(), ROUNDS, seed));
      return;
    }
    final List<RowGroup> groups =
        new ArrayList<>(groups(SIZES, List.of(DmaDirection.TO_DEVICE), true));
    groups.add(new RowGroup(4096, DmaDirection.TO_DEVICE, MOST_FILL, false));
    tasks.add(Task.rows(strategy, ram, false, true, groups, FAILING_POOLS, ROUNDS, seed));
    tasks.add(Task.rows(strategy, ram, true, true, groups, List.of(), ROUNDS, seed));
  }

  private static void matrix(final List<Task> tasks, final String strategy, final long seed) {
    final boolean main = MAIN.contains(strategy);
    for (final ExtentKind extents : List.of(ExtentKind.RAM, ExtentKind.DEVICE)) {
      final boolean scaling = extents == ExtentKind.RAM; // its rows do not say where they lay
      final List<Long> pools = scaling ? FAILING_POOLS : List.of();
      final List<RowGroup> bare = filled(List.of(DmaDirection.TO_DEVICE), scaling);
      tasks.add(Task.rows(strategy, extents, false, main, bare, pools, FULL_ROUNDS, seed));
      for (final DmaDirection direction : DmaDirection.values()) {
        final boolean to = direction == DmaDirection.TO_DEVICE;
        final List<RowGroup> copied = filled(List.of(direction), scaling && to);
        tasks.add(Task.rows(strategy, extents, true, main, copied, List.of(), FULL_ROUNDS, seed));
      }
    }
  }

  private static List<RowGroup> filled(final List<DmaDirection> directions, final boolean scaling) {
    final List<RowGroup> groups = new ArrayList<>(groups(SIZES, directions, scaling));
    for (final int fill : new int[] {50, MOST_FILL}) {
      for (final long size : SIZES) {
        for (final DmaDirection direction : directions) {
          groups.add(new RowGroup(size, direction, fill, false));
        }
      }
    }
    return groups;
  }

  private static List<RowGroup> groups(
      final List<Long> sizes, final List<DmaDirection> directions, final boolean scaling) {
    final List<RowGroup> groups = new ArrayList<>();
    for (final long size : sizes) {
      for (final DmaDirection direction : directions) {
        groups.add(new RowGroup(size, direction, 0, scaling));
      }
    }
    return groups;
  }
}
