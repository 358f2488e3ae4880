package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_BYPASS;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_DOMAIN_END;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_DOMAIN_START;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_INPUT_END;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_INPUT_START;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_PAGE_SIZE_MASK;
import static io.carom.iommu.VirtioIommuDescriptor.CONFIG_PROBE_SIZE;

import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.iommu.VirtioIommuDescriptor;

/**
 * What the configuration structure says, read once and checked (virtio 1.4, section IOMMU device,
 * Device configuration layout). Addresses are unsigned and ranges end with their last address.
 *
 * @param granule bytes of the smallest page, a power of two
 * @param inputStart first address that can be mapped
 * @param inputEnd last address that can be mapped
 * @param domainStart first domain number, unsigned 32 bits
 * @param domainEnd last domain number, unsigned 32 bits
 * @param probeSize bytes of a PROBE's properties; 0 when there is no PROBE
 * @param mmio whether MAP takes the MMIO flag
 * @param bypass whether endpoints outside every domain passed at the probe
 */
record IommuGeometry(
    long granule,
    long inputStart,
    long inputEnd,
    long domainStart,
    long domainEnd,
    int probeSize,
    boolean mmio,
    boolean bypass) {
  /** Most properties that are asked for; a device that has more is not probed. */
  static final int MOST_PROBE = 64 << 10;

  private static final long LAST_DOMAIN = 0xffff_ffffL;

  /**
   * Reads the configuration of a device whose features are negotiated.
   *
   * @throws ProbeException when it makes no sense
   */
  static IommuGeometry read(final VirtioDevice device) throws ProbeException {
    final long mask = device.transport().config(CONFIG_PAGE_SIZE_MASK, Long.BYTES);
    if (mask == 0) {
      throw new ProbeException("page_size_mask is 0: no page size at all");
    }
    final boolean input = device.has(VirtioIommuDescriptor.F_INPUT_RANGE);
    final boolean domains = device.has(VirtioIommuDescriptor.F_DOMAIN_RANGE);
    final long granule = Long.lowestOneBit(mask);
    final long start = input ? device.transport().config(CONFIG_INPUT_START, Long.BYTES) : 0;
    final long end = input ? device.transport().config(CONFIG_INPUT_END, Long.BYTES) : -1L;
    final IommuGeometry geometry =
        new IommuGeometry(
            granule,
            // whole granules; an end at the last address of all is one behind 0
            (start + granule - 1) & -granule,
            ((end + 1) & -granule) - 1,
            domains ? word(device, CONFIG_DOMAIN_START) : 0,
            domains ? word(device, CONFIG_DOMAIN_END) : LAST_DOMAIN,
            probeSize(device),
            device.has(VirtioIommuDescriptor.F_MMIO),
            bypass(device));
    geometry.check();
    device.dmesg().log(label(device) + "input address: " + geometry.inputBits() + " bits");
    device.dmesg().log(label(device) + "page mask: 0x" + Long.toHexString(mask));
    return geometry;
  }

  /** Whether endpoints outside every domain pass now. */
  static boolean bypass(final VirtioDevice device) {
    return device.has(VirtioIommuDescriptor.F_BYPASS_CONFIG)
        && device.transport().config(CONFIG_BYPASS, 1) != 0;
  }

  /** How lines about a device begin. */
  static String label(final VirtioDevice device) {
    return VirtioIommuDriver.NAME + " " + device.name() + ": ";
  }

  private static int probeSize(final VirtioDevice device) {
    if (!device.has(VirtioIommuDescriptor.F_PROBE)) {
      return 0;
    }
    final long size = word(device, CONFIG_PROBE_SIZE);
    if (size <= MOST_PROBE) {
      return (int) size;
    }
    device
        .dmesg()
        .log(
            label(device)
                + "probe_size "
                + size
                + " is above "
                + MOST_PROBE
                + ": endpoints are not probed");
    return 0;
  }

  private static long word(final VirtioDevice device, final int offset) {
    return device.transport().config(offset, Integer.BYTES) & 0xffff_ffffL;
  }

  private void check() throws ProbeException {
    if (Long.compareUnsigned(inputStart, inputEnd) > 0) {
      throw new ProbeException("input_range 0x%x-0x%x is empty".formatted(inputStart, inputEnd));
    }
    if (domainStart > domainEnd) {
      throw new ProbeException("domain_range %d-%d is empty".formatted(domainStart, domainEnd));
    }
  }

  private int inputBits() {
    return Long.SIZE - Long.numberOfLeadingZeros(inputEnd);
  }

  /** Whether a range is whole granules, at least one, and lies where can be mapped. */
  boolean maps(final long iova, final long bytes) {
    final long last = iova + bytes - 1; // unsigned; a wrapped end is below its start
    return bytes > 0
        && ((iova | bytes) & (granule - 1)) == 0
        && Long.compareUnsigned(last, iova) >= 0
        && Long.compareUnsigned(iova, inputStart) >= 0
        && Long.compareUnsigned(last, inputEnd) <= 0;
  }
}
