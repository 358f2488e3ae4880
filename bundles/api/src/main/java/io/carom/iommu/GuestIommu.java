package io.carom.iommu;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The guest's IOMMU driver: a service of the kernel, registered while it drives a virtio-iommu.
 * Requests travel through one queue under one lock, as in Linux; the driver checks the status of
 * each. Thread-safe.
 */
@ProviderType
public interface GuestIommu {
  /** Bytes of the smallest page. */
  long granule();

  /** First address that can be mapped. */
  long inputStart();

  /** Last address that can be mapped. */
  long inputEnd();

  /** Whether an endpoint that is attached to no domain passes. */
  boolean bypass();

  /** Whether it stands before a device, by the device's name (its PCI address). */
  boolean serves(String device);

  /**
   * Ranges in which nothing can be mapped for a device, as PROBE tells them.
   *
   * @throws IommuException when the IOMMU refuses
   */
  List<ReservedRange> reserved(String device) throws IommuException;

  /**
   * Makes an empty domain, to which nothing is attached but what does no DMA: it can be filled
   * before a device is attached.
   *
   * @param failures told of a queued unmap that failed, on the thread that flushed
   * @throws IommuException when there is no domain number left, or the IOMMU refuses
   */
  GuestDomain createDomain(UnmapFailures failures) throws IommuException;

  /** What was asked of the IOMMU since the driver took it. */
  IommuCounters counters();

  /** Whether a scatter list's pieces are mapped with one kick, else with one each. */
  boolean batched();

  /** Hears of queued unmaps that failed. */
  @FunctionalInterface
  interface UnmapFailures {
    /** The range is still mapped, as far as anyone knows. */
    void failed(long iova, long bytes, int status);
  }
}
