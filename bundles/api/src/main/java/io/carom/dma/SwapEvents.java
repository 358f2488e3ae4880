package io.carom.dma;

/**
 * OSGi events of swaps (Event Admin). Topics are {@value #PREFIX} and a phase; properties are named
 * as the components of {@link SwapReport} and {@link TransitionInfo}.
 */
public final class SwapEvents {
  /** What all topics begin with. */
  public static final String PREFIX = "io/carom/swap/";

  /** All topics. */
  public static final String ALL = PREFIX + "*";

  /** A swap was decided: device, from, to, cause, policy. */
  public static final String STARTED = PREFIX + "STARTED";

  /** New maps go to the new strategy: device, from, to, fromGeneration, toGeneration. */
  public static final String PUBLISHED = PREFIX + "PUBLISHED";

  /** No map is inside the old strategy any more, and it drains: device, live, graceUs. */
  public static final String DRAINING = PREFIX + "DRAINING";

  /** A swap is over: all components of {@link SwapReport} that are not null. */
  public static final String FINISHED = PREFIX + "FINISHED";

  /** A swap failed and nothing was changed: device, from, to, message. */
  public static final String FAILED = PREFIX + "FAILED";

  /**
   * Extents were set aside, as a strategy misbehaved or as mappings outlived a drain: pool,
   * strategy, extents (how many), and message (why). Posted soon after that.
   */
  public static final String QUARANTINED = PREFIX + "QUARANTINED";

  private SwapEvents() {}
}
