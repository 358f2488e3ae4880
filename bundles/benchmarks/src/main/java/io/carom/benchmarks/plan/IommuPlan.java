package io.carom.benchmarks.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which tasks a run of the benchmark of the IOMMU strategies consists of. */
public final class IommuPlan {
  /** Strategy with pools of bounce buffers in its domains. */
  public static final String POOL = "iommu-pool";

  /** The pool's variant that stands for it where one must: it clears as the series did. */
  public static final String POOL_VARIANT = "necessary-only";

  /** Block sizes. */
  public static final List<Long> SIZES = List.of(4096L, 16_384L, 65_536L, 131_072L);

  /** Rounds of a figure in real time. */
  public static final int ROUNDS = 5;

  /** What a run takes, with the container's start and a margin in 55 s. */
  public static final long SECONDS = 47;

  static final List<Long> LIVE = List.of(1L, 1_000L, 100_000L, 1_000_000L);

  private IommuPlan() {}

  /** Every row of what there is to measure: variants in their order, reads first. */
  public static List<IoCase> cases(final List<IoCase> variants) {
    final List<IoCase> cases = new ArrayList<>();
    for (final IoCase variant : variants) {
      for (final boolean write : new boolean[] {false, true}) {
        for (final long size : SIZES) {
          cases.add(new IoCase(variant.strategy(), variant.variant(), write, size));
        }
      }
    }
    return cases;
  }

  /**
   * The tasks. On a virtual clock there is one; in real time it comes first, and then each variant
   * in a JVM of its own, and what is measured without I/O.
   */
  public static List<IommuTask> tasks(
      final List<IoCase> cases, final String profile, final boolean virtual, final long seed) {
    final List<IommuTask> tasks = new ArrayList<>();
    tasks.add(task(IommuTask.Kind.VIRTUAL_ROWS, profile, cases, List.of(), 1, seed));
    if (virtual) {
      return tasks;
    }
    final Map<String, List<IoCase>> variants = new LinkedHashMap<>();
    cases.forEach(row -> variants.computeIfAbsent(row.title(), title -> new ArrayList<>()).add(row));
    for (final List<IoCase> rows : variants.values()) {
      tasks.add(task(IommuTask.Kind.ROWS, profile, rows, List.of(), ROUNDS, seed));
    }
    if (cases.stream().anyMatch(row -> row.strategy().equals(POOL))) {
      tasks.add(task(IommuTask.Kind.HIT, profile, List.of(), List.of(), ROUNDS, seed));
      tasks.add(task(IommuTask.Kind.LOOKUP, profile, List.of(), LIVE, ROUNDS, seed));
    }
    return tasks;
  }

  private static IommuTask task(
      final IommuTask.Kind kind,
      final String profile,
      final List<IoCase> cases,
      final List<Long> live,
      final int rounds,
      final long seed) {
    return new IommuTask(kind, profile, List.copyOf(cases), live, rounds, 0, seed);
  }
}
