package io.carom.iommu.host;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuHost;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.iommu.host.endpoint.Endpoint;
import io.carom.iommu.host.table.Domain;
import io.carom.iommu.host.table.Mapping;
import io.carom.iommu.host.table.Pte;
import java.util.List;
import java.util.function.Supplier;

/** Snapshots of an IOMMU, taken between two of its requests. */
final class IommuView implements IommuHost {
  private final Iommu iommu;

  IommuView(final Iommu iommu) {
    this.iommu = iommu;
  }

  private <T> T look(final Supplier<T> what) {
    iommu.lock().lock();
    try {
      return what.get();
    } finally {
      iommu.lock().unlock();
    }
  }

  @Override
  public List<DomainInfo> domains() {
    return look(() -> iommu.domains().values().stream().map(this::info).toList());
  }

  private DomainInfo info(final Domain domain) {
    return new DomainInfo(
        domain.number(),
        domain.bypass(),
        iommu.endpoints().attached(domain).stream().map(Endpoint::port).toList(),
        domain.count(),
        domain.bytes() >>> Pte.GRANULE_SHIFT,
        domain.bytes());
  }

  @Override
  public List<EndpointInfo> endpoints() {
    final List<String> functions = iommu.gate().functions();
    return look(
        () ->
            functions.stream()
                .filter(port -> !iommu.endpoints().isOwn(port))
                .map(iommu.endpoints()::of)
                .filter(endpoint -> endpoint.domain() == null)
                .map(this::info)
                .toList());
  }

  private EndpointInfo info(final Endpoint endpoint) {
    final boolean passes = iommu.bypass() && !endpoint.held();
    return new EndpointInfo(endpoint.port(), passes ? "bypassed" : "blocked");
  }

  @Override
  public List<MappingRange> mappings(final int domain, final int most) {
    return look(
        () -> {
          final Domain known = iommu.domains().get(domain);
          if (known == null) {
            throw new IllegalArgumentException(
                "no domain " + domain + "; valid: " + iommu.domains().keySet());
          }
          return known.mappings().stream().limit(Math.max(0, most)).map(IommuView::range).toList();
        });
  }

  private static MappingRange range(final Mapping mapping) {
    final String permissions =
        (Pte.allows(mapping.flags(), VirtioIommuDescriptor.MAP_F_READ) ? "r" : "-")
            + (Pte.allows(mapping.flags(), VirtioIommuDescriptor.MAP_F_WRITE) ? "w" : "-")
            + (Pte.allows(mapping.flags(), VirtioIommuDescriptor.MAP_F_MMIO) ? "m" : "");
    return new MappingRange(mapping.start(), mapping.last(), mapping.physical(), permissions);
  }

  @Override
  public List<FaultInfo> faults() {
    return iommu.faults().last();
  }

  @Override
  public FaultCounters faultCounters() {
    return iommu.faults().counters();
  }

  @Override
  public IommuCounters counters() {
    return look(iommu.counters()::snapshot);
  }

  @Override
  public IotlbCounters iotlb() {
    long hits = 0;
    long misses = 0;
    long dropped = 0;
    for (final Endpoint endpoint : iommu.endpoints().all()) {
      hits += endpoint.hits();
      misses += endpoint.misses();
      dropped += endpoint.dropped();
    }
    return new IotlbCounters(hits, misses, dropped);
  }

  @Override
  public CostProfile profile() {
    return look(iommu.meter()::profile);
  }

  @Override
  public long chargedNs() {
    return look(iommu.meter()::charged);
  }
}
