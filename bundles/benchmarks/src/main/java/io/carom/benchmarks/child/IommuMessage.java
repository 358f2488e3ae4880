package io.carom.benchmarks.child;

import io.carom.bench.IommuReport;
import io.carom.benchmarks.plan.IoCase;
import io.carom.iommu.CostProfile;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a child says of IOMMU strategies: one JSON object on a line, of which one part is there.
 *
 * @param catalog answer to {@code CATALOG}
 * @param row a row
 * @param hit a warm hit
 * @param lookup what it costs to find a mapping
 * @param idlePages pages that an idle domain holds after the pool's eviction
 * @param error why the child ends early, one line
 * @param done whether everything that was asked for is said
 */
public record IommuMessage(
    @Nullable Catalog catalog,
    IommuReport.@Nullable Row row,
    IommuReport.@Nullable Hit hit,
    IommuReport.@Nullable Lookup lookup,
    @Nullable Long idlePages,
    @Nullable String error,
    boolean done)
    implements Reply {

  /**
   * What there is to measure.
   *
   * @param variants strategies, each variant once; block size and direction do not count
   * @param costs the figures of the profile that was asked for
   */
  public record Catalog(List<IoCase> variants, CostProfile costs) {}

  /** The end. */
  public static final IommuMessage DONE =
      new IommuMessage(null, null, null, null, null, null, true);

  /** What there is. */
  static IommuMessage of(final Catalog catalog) {
    return new IommuMessage(catalog, null, null, null, null, null, false);
  }

  /** A row. */
  static IommuMessage of(final IommuReport.Row row) {
    return new IommuMessage(null, row, null, null, null, null, false);
  }

  /** A warm hit. */
  static IommuMessage of(final IommuReport.Hit hit) {
    return new IommuMessage(null, null, hit, null, null, null, false);
  }

  /** What it costs to find a mapping. */
  static IommuMessage of(final IommuReport.Lookup lookup) {
    return new IommuMessage(null, null, null, lookup, null, null, false);
  }

  /** Pages of an idle domain. */
  static IommuMessage ofIdle(final long pages) {
    return new IommuMessage(null, null, null, null, pages, null, false);
  }

  /** A failure. */
  static IommuMessage ofError(final String line) {
    return new IommuMessage(null, null, null, null, null, line, false);
  }
}
