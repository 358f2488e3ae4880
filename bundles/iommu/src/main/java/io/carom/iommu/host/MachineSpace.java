package io.carom.iommu.host;

import io.carom.iommu.host.table.PhysicalSpace;
import io.carom.memory.GuestMemory;
import io.carom.memory.Platform;

/**
 * The machine's memory as mappings point at it. A guest maps guest-physical addresses; a port takes
 * the platform's offset from what a translation answers, so it is added here. An address that
 * carries what else the platform puts into addresses of RAM, such as an encryption bit, is what the
 * port expects already.
 *
 * @param memory the guest's RAM
 */
public record MachineSpace(GuestMemory memory) implements PhysicalSpace {
  @Override
  public long behind(final long address, final long bytes, final boolean mmio) {
    final Platform platform = memory.platform();
    if (memory.offset(address, bytes) >= 0) {
      return platform.busAddress(address, bytes, true);
    }
    if (!platform.plain() && platform.physicalAddress(address, bytes) >= 0) {
      return address;
    }
    return mmio ? address + memory.busOffset() : NOTHING; // below 2^52 and 2^48
  }
}
