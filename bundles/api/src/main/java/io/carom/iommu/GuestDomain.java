package io.carom.iommu;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A domain as the guest's driver keeps it. Addresses and sizes are multiples of the granule.
 * Thread-safe; no call returns before the IOMMU has answered, but {@link #queueUnmap}.
 */
@ProviderType
public interface GuestDomain extends AutoCloseable {
  /** Its number at the IOMMU. */
  int id();

  /**
   * Attaches a device; it leaves the domain that it was attached to. When this returns all its
   * accesses are translated by this domain, and those that began before have ended.
   *
   * @throws IommuException when the IOMMU refuses
   */
  void attach(String device) throws IommuException;

  /**
   * Detaches a device.
   *
   * @throws IommuException when the IOMMU refuses
   */
  void detach(String device) throws IommuException;

  /**
   * Maps pieces of physical memory side by side, or nothing.
   *
   * @param iova address of the first piece
   * @param addresses physical address of each piece
   * @param lengths bytes of each
   * @param pieces how many there are
   * @param permissions {@code VirtioIommuDescriptor.MAP_F_*}
   * @return {@link IommuStatus#OK}, or why nothing is mapped
   */
  int map(long iova, long[] addresses, long[] lengths, int pieces, int permissions);

  /**
   * Maps one piece.
   *
   * @return {@link IommuStatus#OK}, or why nothing is mapped
   */
  int map(long iova, long address, long bytes, int permissions);

  /**
   * Unmaps a range and invalidates it: when this returns no device reaches it.
   *
   * @return {@link IommuStatus#OK}, or why it is still mapped
   */
  int unmap(long iova, long bytes);

  /**
   * Queues an unmap without telling the IOMMU; the next {@link #flush}, or whatever else kicks the
   * queue, carries it out. A failure is told to the domain's {@link GuestIommu.UnmapFailures}.
   */
  void queueUnmap(long iova, long bytes);

  /** Waits until everything that was queued before is carried out and invalidated. */
  void flush();

  /** Whether the IOMMU answers; a domain of one that was taken out does not. */
  boolean alive();

  /** Unmaps everything, detaches what is attached, and gives the number back. */
  @Override
  void close();
}
