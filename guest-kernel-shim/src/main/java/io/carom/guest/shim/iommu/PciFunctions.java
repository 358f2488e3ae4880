package io.carom.guest.shim.iommu;

import io.carom.pci.PciAddress;

/** Which functions are on the bus. Any thread. */
@FunctionalInterface
public interface PciFunctions {
  /** There is no such function. */
  long ABSENT = -1;

  /** A number that only the function that sits there now has, or {@link #ABSENT}. */
  long plugging(PciAddress address);
}
