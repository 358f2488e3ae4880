package io.carom.virtio.device.region;

import io.carom.memory.RegionView;
import io.carom.virtio.RegionInfo;
import io.carom.virtio.RegionOptions;
import java.util.Locale;

/** A region for those who look at the device from outside. */
public final class RegionReport {
  private static final RegionView.Counters NOTHING = new RegionView.Counters(0, 0, 0);

  private RegionReport() {}

  /**
   * What there is to tell.
   *
   * @param accepted feature bits, 0 before they are negotiated
   * @param unprotectedPages pages of system memory that the guest shares for the device
   */
  public static RegionInfo of(
      final BounceRegion region, final long accepted, final long unprotectedPages) {
    final RegionOptions options = region.options();
    final RegionView view = region.view();
    final RegionView.Counters lines = view == null ? NOTHING : view.counters();
    final String name = options.dmb().offered() ? "DMB" : "SWIOTLB";
    return new RegionInfo(
        region.where(),
        region.offsets(accepted) ? "offset" : "bus",
        region.offered() == 0 ? -1 : Long.numberOfTrailingZeros(region.offered()),
        region.restricted(accepted) ? name : "none",
        options.group(),
        word(options.mixing()),
        options.scrubOnReset(),
        region.scrubs(),
        options.withoutBusMaster(),
        word(options.caching()),
        lines.linesRead(),
        lines.linesWritten(),
        lines.flushes(),
        region.restricted(accepted) ? 0 : unprotectedPages);
  }

  private static String word(final Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
