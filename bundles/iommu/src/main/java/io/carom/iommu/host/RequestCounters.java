package io.carom.iommu.host;

import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;

/** What was asked. Guarded by the IOMMU's lock. */
final class RequestCounters {
  private final long[] requests = new long[VirtioIommuDescriptor.T_PROBE + 1];
  private long failed;
  private long kicks;
  private long invalidations;
  private long pinned;
  private long peak;

  /** A request of a type that is known, and its answer. */
  void answered(final int type, final int status) {
    requests[type]++;
    if (status != IommuStatus.OK) {
      failed++;
    }
  }

  /** A buffer that is no request. */
  void refused() {
    failed++;
  }

  void kicked() {
    kicks++;
  }

  void invalidated() {
    invalidations++;
  }

  void pinned(final long pages) {
    pinned += pages;
    peak = Math.max(peak, pinned);
  }

  void unpinned(final long pages) {
    pinned -= pages;
  }

  /** A copy; what the guest calls flushes are here the invalidations. */
  IommuCounters snapshot() {
    return new IommuCounters(
        requests[VirtioIommuDescriptor.T_ATTACH],
        requests[VirtioIommuDescriptor.T_DETACH],
        requests[VirtioIommuDescriptor.T_MAP],
        requests[VirtioIommuDescriptor.T_UNMAP],
        requests[VirtioIommuDescriptor.T_PROBE],
        failed,
        kicks,
        invalidations,
        pinned,
        peak);
  }
}
