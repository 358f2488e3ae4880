package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import org.jspecify.annotations.Nullable;

/**
 * Where the function is plugged: its attachment, the session that checks rings when they are
 * enabled, and whether the IOMMU stands before it. Changed under the device's lock; the attachment
 * is read by anyone.
 *
 * <p><b>The IOMMU</b> stands before the device from plugging on. A driver whose FEATURES_OK is
 * without ACCESS_PLATFORM means physical addresses, and the device bypasses the IOMMU until its
 * reset (virtio 1.4, section Reserved Feature Bits); one whose type says so bypasses it always.
 */
final class Plug {
  private volatile @Nullable PciAttachment attachment;
  private @Nullable BusSession session;
  private boolean translated = true;
  private boolean unsure;

  void in(final PciAttachment to) {
    session = to.port().open();
    attachment = to;
    translated = true; // as a function is when it is plugged
  }

  /** Takes it out; whether it was in. */
  boolean out() {
    final boolean was = attachment != null;
    attachment = null;
    final BusSession open = session;
    if (open != null) {
      open.close();
      session = null;
    }
    return was;
  }

  @Nullable PciAttachment attachment() {
    return attachment;
  }

  /** Where the function's own SWIOTLB range is now, or -1. */
  long ownRange() {
    final PciAttachment to = attachment;
    return to == null ? -1 : to.ownRangeAddress();
  }

  /** The port may be one that was used before: whether it is translated is said in any case. */
  void usedBefore() {
    unsure = true;
  }

  @Nullable BusSession session() {
    return session;
  }

  boolean translated() {
    return translated;
  }

  /** Sets whether the IOMMU stands before the device; no section is open to be waited for. */
  void translated(final boolean on) {
    final PciAttachment to = attachment;
    if (to != null && (on != translated || unsure)) {
      unsure = false;
      translated = on;
      to.translated(on);
    }
  }
}
