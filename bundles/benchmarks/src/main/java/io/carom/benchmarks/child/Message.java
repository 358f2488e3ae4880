package io.carom.benchmarks.child;

import io.carom.bench.SwiotlbReport;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a child says on its standard output: one JSON object on a line, of which one part is there.
 *
 * @param catalog answer to {@code CATALOG}
 * @param row a row
 * @param scaling a ratio of two rows
 * @param failing a failing map
 * @param lookup a way of finding records
 * @param againstFixed a comparison
 * @param heapBytesPerOp allocation on the heap
 * @param error why the child ends early, one line
 * @param done whether everything that was asked for is said
 */
public record Message(
    @Nullable Catalog catalog,
    SwiotlbReport.@Nullable Row row,
    SwiotlbReport.@Nullable Scaling scaling,
    SwiotlbReport.@Nullable Failing failing,
    SwiotlbReport.@Nullable Lookup lookup,
    SwiotlbReport.@Nullable AgainstFixed againstFixed,
    @Nullable Double heapBytesPerOp,
    @Nullable String error,
    boolean done)
    implements Reply {

  /**
   * What there is to measure.
   *
   * @param strategies names of strategies
   * @param lookups ways of finding records
   */
  public record Catalog(List<String> strategies, List<String> lookups) {}

  /** The end. */
  public static final Message DONE =
      new Message(null, null, null, null, null, null, null, null, true);

  /** What there is. */
  static Message of(final Catalog catalog) {
    return new Message(catalog, null, null, null, null, null, null, null, false);
  }

  /** A row. */
  static Message of(final SwiotlbReport.Row row) {
    return new Message(null, row, null, null, null, null, null, null, false);
  }

  /** A ratio. */
  static Message of(final SwiotlbReport.Scaling scaling) {
    return new Message(null, null, scaling, null, null, null, null, null, false);
  }

  /** A failing map. */
  static Message of(final SwiotlbReport.Failing failing) {
    return new Message(null, null, null, failing, null, null, null, null, false);
  }

  /** A way of finding records. */
  static Message of(final SwiotlbReport.Lookup lookup) {
    return new Message(null, null, null, null, lookup, null, null, null, false);
  }

  /** A comparison. */
  static Message of(final SwiotlbReport.AgainstFixed againstFixed) {
    return new Message(null, null, null, null, null, againstFixed, null, null, false);
  }

  /** Allocation on the heap. */
  static Message ofHeap(final double bytesPerOp) {
    return new Message(null, null, null, null, null, null, bytesPerOp, null, false);
  }

  /** A failure. */
  static Message ofError(final String line) {
    return new Message(null, null, null, null, null, null, null, line, false);
  }
}
