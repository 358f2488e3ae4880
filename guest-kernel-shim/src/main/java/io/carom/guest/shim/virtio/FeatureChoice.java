package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.ProbeException;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;

/**
 * Which of the offered features the driver accepts (virtio 1.4, sections Feature Bits and Driver
 * Requirements: Reserved Feature Bits): those that driver and transport know, and that the guest's
 * configuration does not deny. A bit that is unknown is no reason to fail.
 */
final class FeatureChoice {
  /**
   * Transport features that this driver side understands. ORDER_PLATFORM asks for barriers that are
   * between device and driver in any case: rings are accessed with acquire, release and full
   * fences.
   */
  static final long TRANSPORT =
      VirtioFeatures.VERSION_1
          | VirtioFeatures.ACCESS_PLATFORM
          | VirtioFeatures.INDIRECT_DESC
          | VirtioFeatures.EVENT_IDX
          | VirtioFeatures.RING_PACKED
          | VirtioFeatures.IN_ORDER
          | VirtioFeatures.ORDER_PLATFORM
          | VirtioFeatures.NOTIFICATION_DATA
          | VirtioFeatures.NOTIF_CONFIG_DATA
          | VirtioFeatures.RING_RESET
          | VirtioFeatures.SUSPEND;

  private final VirtioSettings settings;
  private final VirtioPciTransport transport;
  private final int type;
  private final boolean transitional;

  FeatureChoice(
      final VirtioSettings settings,
      final VirtioPciTransport transport,
      final int type,
      final boolean transitional) {
    this.settings = settings;
    this.transport = transport;
    this.type = type;
    this.transitional = transitional;
  }

  /**
   * Chooses.
   *
   * @param supported the driver's own features
   * @throws ProbeException when the device cannot be driven
   */
  long accept(final long offered, final long supported) throws ProbeException {
    final long special = swiotlb() | settings.dmb();
    final long allowed = ~settings.denied(type);
    long accepted = offered & (supported | TRANSPORT) & ~special & allowed;
    if (transport.commonBytes() < CommonCfgDescriptor.QUEUE_RESET) {
      accepted &= ~VirtioFeatures.NOTIF_CONFIG_DATA; // its register is not there
    }
    if (transport.commonBytes() < CommonCfgDescriptor.ADMIN_QUEUE_INDEX) {
      accepted &= ~VirtioFeatures.RING_RESET;
    }
    if ((settings.dmb() & allowed) != 0 && dmb(offered, accepted)) {
      return accepted | settings.dmb(); // its region is the only one then
    }
    if ((offered & swiotlb()) != 0) {
      // a device must not offer the bit when its transport shows no region (SWIOTLB proposal)
      if (transport.structures().region() == null) {
        throw new ProbeException("SWIOTLB is offered without a SWIOTLB capability");
      }
      if (settings.acceptSwiotlb()) {
        accepted |= swiotlb() & allowed;
      }
    }
    return accepted;
  }

  /** The bit of SWIOTLB, or none where its number has another meaning. */
  private long swiotlb() {
    final boolean anyLayout = transitional && settings.swiotlbBit() == VirtioFeatures.SWIOTLB_BIT;
    return anyLayout ? 0 : settings.swiotlb();
  }

  /** Whether SWIOTLB is among these. */
  boolean hasSwiotlb(final long accepted) {
    return (accepted & swiotlb()) != 0;
  }

  /** Whether DMB is among these. */
  boolean hasDmb(final long accepted) {
    return (accepted & settings.dmb()) != 0;
  }

  /** Whether DMB may be accepted: with what it depends on, and with a region to be found. */
  private boolean dmb(final long offered, final long accepted) {
    final long needed =
        VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | (offered & VirtioFeatures.ORDER_PLATFORM);
    return (offered & settings.dmb()) != 0
        && (accepted & needed) == needed
        && transport.structures().shared().containsKey(dmbRegion());
  }

  /** Which shared memory region the device says is that of DMB, or -1. */
  int dmbRegion() {
    return transport.commonByte(settings.dmbRegister());
  }
}
