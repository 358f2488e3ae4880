package io.carom.shell.result;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuHost;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Of {@code iommu:domains}: counts first, then what time they were charged, then who is where.
 *
 * @param counters what was asked of the IOMMU since it was made
 * @param driver what the guest's driver asked of it since it took it, or null without one
 * @param iotlb lookups of the translation cache
 * @param profile cost profile in force
 * @param chargedNs time that it has charged, nanoseconds
 * @param domains domains, by number
 * @param endpoints functions outside every domain, and what becomes of their accesses
 */
public record IommuDomains(
    IommuCounters counters,
    @Nullable IommuCounters driver,
    IommuHost.IotlbCounters iotlb,
    CostProfile profile,
    long chargedNs,
    List<IommuHost.DomainInfo> domains,
    List<IommuHost.EndpointInfo> endpoints) {
  /** Copies the lists. */
  public IommuDomains {
    domains = List.copyOf(domains);
    endpoints = List.copyOf(endpoints);
  }

  /** Of what an IOMMU tells now. */
  public static IommuDomains of(final IommuHost iommu, final @Nullable IommuCounters driver) {
    return new IommuDomains(
        iommu.counters(),
        driver,
        iommu.iotlb(),
        iommu.profile(),
        iommu.chargedNs(),
        iommu.domains(),
        iommu.endpoints());
  }
}
