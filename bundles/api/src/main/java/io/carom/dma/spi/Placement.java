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

  /** The strategy gives the buffer an address in the device's IOMMU domain. */
  public static final int REMAP = 5;

  private int kind;
  private boolean deferred;
  private int zeroing;
  private int permissions;
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

  /**
   * Gives the buffer an address in the device's IOMMU domain. The core maps it there once it has
   * left the strategy, and unmaps and invalidates it when the mapping ends; the range then goes
   * back to the space that it was leased from.
   *
   * @param iova first address of a range of {@link MapRequest#ioBytes}, which the strategy has
   *     leased and does not name again
   * @param whenUnmapped whether the invalidation may be put off to the domain's flush queue; else
   *     the device reaches nothing of it when unmap returns
   */
  public void remap(final long iova, final boolean whenUnmapped) {
    kind = REMAP;
    runAddress = iova;
    deferred = whenUnmapped;
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

  /**
   * Asks the core for pages that are mapped in the device's IOMMU domain, to be granted to the
   * calling stripe as an extent.
   *
   * @param iova first address, in a range that the strategy has leased, aligned to a granule
   * @param bytes whole granules
   * @param access what the device may do there: bits of {@link IovaSpace}
   */
  public void needExtent(final long iova, final long bytes, final int access) {
    kind = NEED_EXTENT;
    runBytes = bytes;
    runAddress = iova;
    permissions = access;
  }

  /**
   * Says what the core clears of the extent that the buffer is bounced in, beside the copy of the
   * buffer itself: one of {@link IovaSpace#ZERO_NOTHING}, {@link IovaSpace#ZERO_REST} and {@link
   * IovaSpace#ZERO_USED}. A fresh extent's rest is cleared whatever is said here.
   */
  public void zero(final int policy) {
    zeroing = policy;
  }

  /** Refuses. */
  public void refuse(final Refusal reason) {
    kind = REFUSED;
    refusal = reason.ordinal();
  }

  /** Forgets the last answer. For the core. */
  public void clear() {
    kind = NONE;
    zeroing = 0;
    permissions = 0;
  }

  /** What is to be cleared, when bounced. */
  public int zeroing() {
    return zeroing;
  }

  /** Whether the invalidation may be put off, when remapped. */
  public boolean deferred() {
    return deferred;
  }

  /** First address of the leased range, when remapped or when an extent of a domain is needed. */
  public long iova() {
    return runAddress;
  }

  /** What the device may do in the extent that is needed; 0 for one that is no domain's. */
  public int permissions() {
    return permissions;
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
   * One of {@link #NONE}, {@link #BOUNCE}, {@link #PASS}, {@link #REFUSED}, {@link #NEED_EXTENT},
   * {@link #REMAP}.
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
