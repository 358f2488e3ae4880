package io.carom.dma.spi;

import org.osgi.annotation.versioning.ProviderType;

/**
 * The addresses of one IOMMU domain, as a strategy leases them. RAM, device regions and what the
 * IOMMU reserves are left out; an address that was unmapped comes back only when it is invalidated.
 * Thread-safe; no call blocks for longer than a short lock. Addresses are multiples of the granule.
 */
@ProviderType
public interface IovaSpace {
  /** No range is to be had. */
  long NONE = -1;

  /** The device may read. The bits are virtio-iommu's. */
  int READ = 1;

  /** The device may write. */
  int WRITE = 1 << 1;

  /** Mapped for supervisor accesses; told apart, not translated to anything in the domain. */
  int PRIVILEGED = 1 << 8;

  /** Clears nothing but a fresh extent's rest. */
  int ZERO_NOTHING = 0;

  /**
   * Clears what an earlier mapping may have left outside the buffer: exactly what was written where
   * the device may only read, else all the rest.
   */
  int ZERO_REST = 1;

  /** As {@link #ZERO_REST}, and clears the buffer's bytes too when the mapping ends. */
  int ZERO_USED = 2;

  /** Bytes of a granule, the smallest page of the IOMMU. */
  long granule();

  /** First address. */
  long first();

  /** Last address. */
  long last();

  /**
   * Leases a range, from the top down; aligned to its size rounded up to a power of two, so that it
   * crosses no multiple of that. Ranges of up to 128 KiB are kept at hand for each stripe.
   *
   * @param stripe any number; usually the calling stripe
   * @param bytes whole granules, at least one
   * @param limit highest address that the device can form, inclusive
   * @return first address, or {@link #NONE}
   */
  long lease(int stripe, long bytes, long limit);

  /**
   * Gives a leased range back in which nothing is mapped, or what was mapped is disposed of.
   *
   * @param bytes as leased
   */
  void giveBack(int stripe, long iova, long bytes);
}
