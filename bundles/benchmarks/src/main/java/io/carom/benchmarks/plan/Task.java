package io.carom.benchmarks.plan;

import io.carom.dma.ExtentKind;
import java.util.List;

/**
 * What one JVM measures. Times are nanoseconds.
 *
 * @param kind which of the following it is about
 * @param strategy strategy, or empty where the measuring side chooses
 * @param extents kind of its bounce memory
 * @param copy whether bytes are moved
 * @param heap whether allocation on the heap is measured too
 * @param groups rows
 * @param failingPools sizes of nearly full pools in which maps fail, bytes
 * @param lookup how the core finds records
 * @param live numbers of live mappings among which one is found
 * @param rounds rounds of each figure
 * @param pairs rounds of paired figures
 * @param unitNs length of a timed stretch; some are half as long
 * @param seed seed of what is random
 */
public record Task(
    Kind kind,
    String strategy,
    ExtentKind extents,
    boolean copy,
    boolean heap,
    List<RowGroup> groups,
    List<Long> failingPools,
    String lookup,
    List<Long> live,
    int rounds,
    int pairs,
    long unitNs,
    long seed)
    implements PlannedTask<Task> {

  /** What is measured. */
  public enum Kind {
    /** Nothing: says what there is to measure. */
    CATALOG,
    /** Maps and unmaps, scaling, failing maps. */
    ROWS,
    /** How records are found. */
    LOOKUP,
    /** A strategy against {@code swiotlb-fixed}. */
    PAIRS
  }

  /** Asks what there is. */
  public static Task catalog() {
    return new Task(
        Kind.CATALOG,
        "",
        ExtentKind.RAM,
        false,
        false,
        List.of(),
        List.of(),
        "direct",
        List.of(),
        0,
        0,
        0,
        0);
  }

  /** Measures rows of a strategy. */
  static Task rows(
      final String strategy,
      final ExtentKind extents,
      final boolean copy,
      final boolean heap,
      final List<RowGroup> groups,
      final List<Long> failingPools,
      final int rounds,
      final long seed) {
    return new Task(
        Kind.ROWS,
        strategy,
        extents,
        copy,
        heap,
        groups,
        failingPools,
        "direct",
        List.of(),
        rounds,
        0,
        0,
        seed);
  }

  /** Measures a way of finding records. */
  static Task lookup(
      final String lookup, final List<Long> live, final int rounds, final long seed) {
    return new Task(
        Kind.LOOKUP,
        "",
        ExtentKind.RAM,
        false,
        false,
        List.of(),
        List.of(),
        lookup,
        live,
        rounds,
        0,
        0,
        seed);
  }

  /** Measures a strategy against the fixed one. */
  static Task pairs(final String strategy, final int rounds, final int pairs, final long seed) {
    return new Task(
        Kind.PAIRS,
        strategy,
        ExtentKind.RAM,
        true,
        false,
        List.of(),
        List.of(),
        "direct",
        List.of(),
        rounds,
        pairs,
        0,
        seed);
  }

  @Override
  public Task withUnit(final long ns) {
    return new Task(
        kind,
        strategy,
        extents,
        copy,
        heap,
        groups,
        failingPools,
        lookup,
        live,
        rounds,
        pairs,
        ns,
        seed);
  }

  @Override
  public Cost cost() {
    return Cost.of(this);
  }

  @Override
  public String title() {
    return switch (kind) {
      case CATALOG -> "catalog";
      case ROWS ->
          strategy
              + (extents == ExtentKind.DEVICE ? " on a device's region" : "")
              + (copy ? ", copied" : ", not copied");
      case LOOKUP -> "lookup " + lookup;
      case PAIRS -> strategy + " against swiotlb-fixed";
    };
  }
}
