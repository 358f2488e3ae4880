package io.carom.virtio.device.transport;

import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.region.RegionAnchor;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a device with a SWIOTLB region. While addresses are bus addresses, a queue that
 * lives means the place where the region was when it was enabled: a BAR that moves, or is not
 * decoded any more, breaks the device. Offsets mean the region wherever it is.
 */
final class RegionListener implements CommandListener {
  private final BounceRegion region;
  private final RegionAnchor anchor = new RegionAnchor();

  RegionListener(final BounceRegion region) {
    this.region = region;
  }

  @Override
  public @Nullable String commandChanged(
      final int command, final long regionAddress, final boolean live) {
    if (!live) {
      anchor.release(); // what is enabled, but not driven yet, looks for itself
    }
    return anchor.moved(regionAddress);
  }

  @Override
  public void queueEnabled(final int queue, final long accepted, final long regionAddress) {
    if (!region.offsets(accepted)) {
      anchor.hold(regionAddress);
    }
  }

  /** Nothing of before touches the region any more, and the driver does not yet. */
  @Override
  public void reset() {
    anchor.release();
    region.reset();
  }
}
