package io.carom.shell.fake;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuHost;
import java.util.ArrayList;
import java.util.List;

/** An IOMMU with two domains, of which the second maps {@link #ranges}. */
public final class FakeIommu implements IommuHost {
  /** What the second domain maps. */
  public final List<MappingRange> ranges = new ArrayList<>();

  /** Faults that are kept. */
  public final List<FaultInfo> faults = new ArrayList<>();

  /** The profile in force. */
  public CostProfile profile = costs("typical", false);

  /** A profile whose figures are known. */
  public static CostProfile costs(final String name, final boolean calibrated) {
    return new CostProfile(
        name, calibrated, 3000, 2000, 100, 2500, 74, 1000, 150, 10_000, 3200, 13_000);
  }

  @Override
  public List<DomainInfo> domains() {
    return List.of(
        new DomainInfo(1, true, List.of("00:05.0"), 0, 0, 0),
        new DomainInfo(2, false, List.of("00:00.0", "00:04.0"), ranges.size(), 512, 512L * 4096));
  }

  @Override
  public List<EndpointInfo> endpoints() {
    return List.of(new EndpointInfo("00:06.0", "blocked"));
  }

  @Override
  public List<MappingRange> mappings(final int domain, final int most) {
    if (domain < 1 || domain > 2) {
      throw new IllegalArgumentException("unknown domain " + domain + "; valid: 1, 2");
    }
    return domain == 1 ? List.of() : ranges.stream().limit(most).toList();
  }

  @Override
  public List<FaultInfo> faults() {
    return faults;
  }

  @Override
  public FaultCounters faultCounters() {
    return new FaultCounters(faults.size() + 7, faults.size(), 7);
  }

  @Override
  public IommuCounters counters() {
    return new IommuCounters(3, 1, 640, 128, 2, 4, 333, 22, 512, 600);
  }

  @Override
  public IotlbCounters iotlb() {
    return new IotlbCounters(90_001, 642, 129);
  }

  @Override
  public CostProfile profile() {
    return profile;
  }

  @Override
  public long chargedNs() {
    return 1_234_567;
  }
}
