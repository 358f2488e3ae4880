package io.carom.benchmarks.child;

import io.carom.bench.VirtioReport;
import org.jspecify.annotations.Nullable;

/**
 * What a child says of virtqueues and block devices: one JSON object on a line, of which one part
 * is there.
 *
 * @param ring a row of a ring
 * @param blk a row of a block device
 * @param nsHotCopy a copy of a block
 * @param error why the child ends early, one line
 * @param done whether everything that was asked for is said
 */
public record VirtioMessage(
    VirtioReport.@Nullable Ring ring,
    VirtioReport.@Nullable Blk blk,
    @Nullable Double nsHotCopy,
    @Nullable String error,
    boolean done)
    implements Reply {
  /** The end. */
  public static final VirtioMessage DONE = new VirtioMessage(null, null, null, null, true);

  /** A row of a ring. */
  static VirtioMessage of(final VirtioReport.Ring ring) {
    return new VirtioMessage(ring, null, null, null, false);
  }

  /** A row of a block device. */
  static VirtioMessage of(final VirtioReport.Blk blk) {
    return new VirtioMessage(null, blk, null, null, false);
  }

  /** A copy. */
  static VirtioMessage ofCopy(final double ns) {
    return new VirtioMessage(null, null, ns, null, false);
  }

  /** A failure. */
  static VirtioMessage ofError(final String line) {
    return new VirtioMessage(null, null, null, line, false);
  }
}
