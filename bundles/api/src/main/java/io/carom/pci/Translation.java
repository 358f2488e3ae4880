package io.carom.pci;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Turns bus addresses into guest-physical ones for one function: the hook of an IOMMU. Called on
 * device threads inside bus sections; must not block.
 */
@ConsumerType
@FunctionalInterface
public interface Translation {
  /** The answer for an address without a permitted translation. */
  long FAULT = -1L;

  /**
   * Translates an address.
   *
   * @param address bus address
   * @param length bytes of the access, at least 1
   * @param access what the device wants
   * @return the address of the first byte behind the IOMMU if all bytes are contiguous behind it,
   *     or {@link #FAULT}; where the platform has an offset ({@code GuestMemory.busOffset()}), the
   *     port takes it from this address to get the guest-physical one
   */
  long translate(long address, long length, BusAccess access);

  /**
   * How much of an access lies together behind the IOMMU. Reports no fault: who goes on to {@link
   * #translate} with what does not lie anywhere hears of it there.
   *
   * @param length bytes of the access, at least 1
   * @return bytes from {@code address} on that {@link #translate} takes as one, at least 1 and at
   *     most {@code length}
   */
  default long contiguous(final long address, final long length, final BusAccess access) {
    return length;
  }
}
