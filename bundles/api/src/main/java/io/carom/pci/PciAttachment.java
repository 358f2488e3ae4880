package io.carom.pci;

import org.osgi.annotation.versioning.ProviderType;

/** What a plugged function gets from the bus. Thread-safe. */
@ProviderType
public interface PciAttachment {
  /** Where it sits. */
  PciAddress address();

  /** Its way to memory. */
  BusPort port();

  /**
   * Whether the IOMMU stands between the function and memory; it does when a function is plugged.
   * Without it bus addresses are physical ones, as for a virtio device that has not negotiated
   * ACCESS_PLATFORM. Returns after accesses begun before have ended.
   */
  default void translated(final boolean on) {}

  /** Says that the function goes for good: the end of its service is a removal at once. */
  default void leaving() {}

  /**
   * Whether an access of the incarnation before, which was begun before its port was revoked, has
   * not ended: it may still write where it was about to. Constant. A function that comes back like
   * that must not run anything again.
   */
  default boolean overran() {
    return false;
  }

  /** Whether the guest has enabled MSI-X (message control bit 15). */
  boolean msixEnabled();

  /** Number of MSI-X vectors, 0 without MSI-X. */
  int vectors();

  /**
   * Raises an MSI-X vector: sent at once, or marked pending while masked. Ignored for a vector out
   * of range or while MSI-X is off.
   */
  void raise(int vector);

  /**
   * Forgets the vectors that are pending while they are masked: what they would tell is void, as
   * after the device's reset.
   */
  default void forgetPending() {}

  /** Sets the level of the function's INTx line: status bit 3, and the line unless disabled. */
  void intx(boolean asserted);

  /**
   * Where a memory BAR is decoded now.
   *
   * @param index 0..5
   * @return its bus address, or -1 while it is not decoded, has no address, or does not exist
   */
  default long barAddress(final int index) {
    return -1;
  }

  /**
   * Where the function's own SWIOTLB range is now, in whichever place it lies.
   *
   * @return its bus address, or -1 while it is not decoded or there is none
   */
  default long ownRangeAddress() {
    return -1;
  }
}
