package io.carom.iommu;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What the machine keeps of its IOMMU, so that the code of the IOMMU can be replaced, or hang,
 * while devices are behind it. A service of the machine. Thread-safe.
 */
@ProviderType
public interface IommuRecords {
  /**
   * Takes over the record. Every {@link IommuRecord} that was given before is void from now on, and
   * changes nothing any more.
   */
  IommuRecord claim();
}
