package io.carom.dma.spi;

/**
 * A strategy's answer to one map call: set exactly one of them. The core makes one object for each
 * stripe and clears it before each call; never keep it.
 */
public final class Placement {
  /** Nothing was set. */
  public static final int NONE = 0;

  /** The buffer is bounced. */
  public static final int BOUNCE = 1;

  /** The device reaches the buffer where it is. */
  public static final int PASS = 2;

  /** The strategy refused. */
  public static final int REFUSED = 3;

  /** The strategy needs an extent before it can answer. */
  public static final int NEED_EXTENT = 4;

  private int kind;
  private int refusal;
  private long busAddress;
  private long runAddress;
  private long runBytes;

  /** For the core; strategies get one. */
  public Placement() {}

  /**
   * Bounces the buffer.
   *
   * @param busAddress where the first byte goes, in an extent homed in the calling stripe
   * @param runAddress bus address of the first slot taken, {@code <= busAddress}: padding precedes
   * @param runBytes bytes taken from there, whole slots, all in one extent
   */
  public void bounce(final long busAddress, final long runAddress, final long runBytes) {
    kind = BOUNCE;
    this.busAddress = busAddress;
    this.runAddress = runAddress;
    this.runBytes = runBytes;
  }

  /** Lets the device reach the buffer where it is, at {@link MapRequest#busAddress}. */
  public void pass() {
    kind = PASS;
  }

  /**
   * Asks the core for an extent, to be granted to the calling stripe. Without MAY_SLEEP the core
   * makes it only from memory at hand.
   *
   * @param bytes at least 1; whole pages are made
   * @param alignMask bits that its first bus address must have clear; at least page alignment is
   *     given
   */
  public void needExtent(final long bytes, final long alignMask) {
    kind = NEED_EXTENT;
    runBytes = bytes;
    runAddress = alignMask;
  }

  /** Refuses. */
  public void refuse(final Refusal reason) {
    kind = REFUSED;
    refusal = reason.ordinal();
  }

  /** Forgets the last answer. For the core. */
  public void clear() {
    kind = NONE;
  }

  /** Bytes of the extent that is needed. */
  public long neededBytes() {
    return runBytes;
  }

  /** Alignment of the extent that is needed. */
  public long neededAlignMask() {
    return runAddress;
  }

  /**
   * One of {@link #NONE}, {@link #BOUNCE}, {@link #PASS}, {@link #REFUSED}, {@link #NEED_EXTENT}.
   */
  public int kind() {
    return kind;
  }

  /** Ordinal of the {@link Refusal}, when refused. */
  public int refusal() {
    return refusal;
  }

  /** Where the first byte goes, when bounced. */
  public long busAddress() {
    return busAddress;
  }

  /** First slot taken, when bounced. */
  public long runAddress() {
    return runAddress;
  }

  /** Bytes taken, when bounced. */
  public long runBytes() {
    return runBytes;
  }
}
