package io.carom.guest.shim.iommu;

import io.carom.iommu.IommuCounters;

/** Counts of what was asked. Guarded by the request queue's lock. */
final class IommuTally {
  long attaches;
  long detaches;
  long maps;
  long unmaps;
  long probes;
  long failed;
  long flushes;
  private long mappedPages;
  private long peakPages;

  /** Pages came, or went. */
  void pages(final long change) {
    mappedPages += change;
    peakPages = Math.max(peakPages, mappedPages);
  }

  IommuCounters snapshot(final long kicks) {
    return new IommuCounters(
        attaches, detaches, maps, unmaps, probes, failed, kicks, flushes, mappedPages, peakPages);
  }
}
