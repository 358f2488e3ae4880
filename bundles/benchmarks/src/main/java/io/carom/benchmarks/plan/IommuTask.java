package io.carom.benchmarks.plan;

import java.util.List;

/**
 * What one JVM measures of the IOMMU strategies. Times are nanoseconds.
 *
 * @param kind which of the following it is about
 * @param profile name of the cost profile
 * @param cases rows
 * @param live numbers of live mappings among which one is found
 * @param rounds rounds of each figure
 * @param unitNs length of a timed stretch
 * @param seed seed of what is random
 */
public record IommuTask(
    Kind kind,
    String profile,
    List<IoCase> cases,
    List<Long> live,
    int rounds,
    long unitNs,
    long seed)
    implements PlannedTask<IommuTask> {
  private static final long MS = 1_000_000;
  private static final long JVM_NS = 900 * MS;

  /** How long a new JVM runs its first row before anything is measured. */
  public static final long WARM_NS = 300 * MS;

  private static final long ROW_NS = 60 * MS;
  private static final long VIRTUAL_ROW_NS = 100 * MS;
  private static final long HIT_NS = 1_800 * MS;
  private static final long LOOKUP_NS = 350 * MS;
  private static final long NS_PER_LIVE = 12_000;

  /** What is measured. */
  public enum Kind {
    /** Nothing: says what there is to measure. */
    CATALOG,
    /** Rows on a virtual clock. */
    VIRTUAL_ROWS,
    /** Rows in real time. */
    ROWS,
    /** A warm hit of the pool. */
    HIT,
    /** How mappings are found. */
    LOOKUP
  }

  /** Asks what there is. */
  public static IommuTask catalog(final String profile) {
    return new IommuTask(Kind.CATALOG, profile, List.of(), List.of(), 0, 0, 0);
  }

  @Override
  public IommuTask withUnit(final long ns) {
    return new IommuTask(kind, profile, cases, live, rounds, ns, seed);
  }

  @Override
  public Cost cost() {
    return switch (kind) {
      case CATALOG -> new Cost(JVM_NS, 0);
      case VIRTUAL_ROWS -> new Cost(JVM_NS + VIRTUAL_ROW_NS * cases.size(), 0);
      // warming up takes as long as two rounds
      case ROWS ->
          new Cost(JVM_NS + WARM_NS + ROW_NS * cases.size(), (rounds + 2.0) * cases.size());
      case HIT -> new Cost(JVM_NS + HIT_NS, Cost.BARE_ROUND * rounds);
      case LOOKUP ->
          new Cost(
              JVM_NS
                  + LOOKUP_NS * live.size()
                  + NS_PER_LIVE * live.stream().mapToLong(Long::longValue).max().orElse(0),
              2.0 * rounds * live.size());
    };
  }

  @Override
  public String title() {
    return switch (kind) {
      case CATALOG -> "catalog";
      case VIRTUAL_ROWS -> "all strategies on a virtual clock";
      case ROWS -> cases.isEmpty() ? "nothing" : cases.getFirst().title();
      case HIT -> "a warm hit of the pool";
      case LOOKUP -> "lookup";
    };
  }
}
