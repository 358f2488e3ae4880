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

  /** Refuses. */
  public void refuse(final Refusal reason) {
    kind = REFUSED;
    refusal = reason.ordinal();
  }

  /** Forgets the last answer. For the core. */
  public void clear() {
    kind = NONE;
  }

  /** One of {@link #NONE}, {@link #BOUNCE}, {@link #PASS}, {@link #REFUSED}. */
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
