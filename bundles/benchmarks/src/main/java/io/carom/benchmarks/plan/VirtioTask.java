package io.carom.benchmarks.plan;

/**
 * What one JVM measures of virtqueues and block devices. Times are nanoseconds.
 *
 * @param kind which of the following it is about
 * @param layout layout of the rings, or empty where there is no choice
 * @param rounds rounds of each figure
 * @param unitNs length of a timed stretch
 * @param seed seed of what is random
 */
public record VirtioTask(Kind kind, String layout, int rounds, long unitNs, long seed)
    implements PlannedTask<VirtioTask> {
  /** Units that a stretch of a disk is reckoned at: the stretches that warm it up come on top. */
  private static final int DISK_UNITS = 4;

  private static final long MS = 1_000_000;
  private static final long JVM_NS = 900 * MS;
  private static final int RING_ROWS = 16;
  private static final long RING_ROW_NS = 120 * MS;
  private static final int DISK_ROWS = 6;
  private static final long DISK_ROW_NS = 700 * MS;
  private static final long FILL_NS = 2_000 * MS;

  /** What is measured. */
  public enum Kind {
    /** Rings by themselves. */
    RING,
    /** Block devices. */
    BLK
  }

  @Override
  public VirtioTask withUnit(final long ns) {
    return new VirtioTask(kind, layout, rounds, ns, seed);
  }

  @Override
  public Cost cost() {
    return switch (kind) {
      case RING -> new Cost(JVM_NS + RING_ROWS * RING_ROW_NS, (double) RING_ROWS * rounds);
      case BLK ->
          new Cost(
              JVM_NS + FILL_NS + DISK_ROWS * DISK_ROW_NS, (double) DISK_ROWS * DISK_UNITS * rounds);
    };
  }

  @Override
  public String title() {
    return switch (kind) {
      case RING -> layout + " rings";
      case BLK -> "block devices";
    };
  }
}
