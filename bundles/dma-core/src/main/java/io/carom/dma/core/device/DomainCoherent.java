package io.carom.dma.core.device;

import io.carom.dma.DmaMemoryException;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.memory.CoherentWindow;
import io.carom.iommu.IommuException;

/**
 * Coherent memory of a device that may be in an IOMMU domain: mapped one to one where RAM can be,
 * else at an address of the domain.
 */
final class DomainCoherent implements CoherentWindow {
  private final DeviceDma device;

  DomainCoherent(final DeviceDma device) {
    this.device = device;
  }

  @Override
  public long open(final long busAddress, final long size) {
    final DmaDomain domain = device.mapper().domain();
    if (domain == null || !device.inRam(busAddress)) {
      return busAddress;
    }
    try {
      return domain.coherent(busAddress, size, device.spec().dmaMask());
    } catch (final IommuException e) {
      throw new DmaMemoryException(
          device.name() + ": coherent memory of " + size + " bytes: " + e.getMessage());
    }
  }

  @Override
  public void close(final long busAddress, final long deviceAddress, final long size) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null && device.inRam(busAddress)) { // as it was opened: a region needs no window
      domain.freed(deviceAddress, size);
    }
  }
}
