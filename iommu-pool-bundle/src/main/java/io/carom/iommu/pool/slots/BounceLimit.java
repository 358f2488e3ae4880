package io.carom.iommu.pool.slots;

/**
 * Up to which size buffers are bounced that need not be. Shared by all pools of the strategy and
 * read once by each map, so that a change holds for maps from then on, in pools that exist as well;
 * what is mapped is not touched.
 */
public final class BounceLimit {
  /** The bytes of a page, as in the series. */
  public static final long DEFAULT = 4096;

  private static final long MOST = 1L << 40;

  private volatile long bytes;

  /** With a first value. */
  public BounceLimit(final long bytes) {
    set(bytes);
  }

  /**
   * Checks a value.
   *
   * @throws IllegalArgumentException when it is out of range
   */
  public static long check(final long bytes) {
    if (bytes < 0 || bytes > MOST) {
      throw new IllegalArgumentException(
          "alwaysBounceLimit=" + bytes + " is not in 0.." + MOST + " bytes");
    }
    return bytes;
  }

  /** Changes it. */
  public void set(final long next) {
    bytes = check(next);
  }

  /** The limit in bytes. */
  public long bytes() {
    return bytes;
  }
}
