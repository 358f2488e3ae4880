package io.carom.iommu.host;

import io.carom.iommu.host.table.PhysicalSpace;
import io.carom.memory.GuestMemory;

/**
 * The machine's memory as mappings point at it: by the addresses that the bus has behind the IOMMU.
 * A port takes from them what the platform has put into addresses of RAM, an offset or an
 * encryption bit.
 *
 * @param memory the guest's RAM
 */
public record MachineSpace(GuestMemory memory) implements PhysicalSpace {
  @Override
  public long behind(final long address, final long bytes, final boolean mmio) {
    return mmio || memory.platform().physicalAddress(address, bytes) >= 0 ? address : NOTHING;
  }
}
