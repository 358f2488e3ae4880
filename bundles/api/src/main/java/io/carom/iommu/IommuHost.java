package io.carom.iommu;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The VMM's view of the IOMMU: a service. Thread-safe; what it returns is a snapshot. */
@ProviderType
public interface IommuHost {
  /** The domains, by number. */
  List<DomainInfo> domains();

  /** Endpoints that are attached to no domain, and what becomes of their accesses. */
  List<EndpointInfo> endpoints();

  /**
   * The mappings of a domain, by address.
   *
   * @param most at most so many
   * @throws IllegalArgumentException when there is no such domain; the message lists the valid ones
   */
  List<MappingRange> mappings(int domain, int most);

  /** The last faults, oldest first, at most 256. */
  List<FaultInfo> faults();

  /** Faults since it was made, and those for which the guest had no event buffer. */
  FaultCounters faultCounters();

  /** What was asked of it. */
  IommuCounters counters();

  /** Lookups of the IOTLB. */
  IotlbCounters iotlb();

  /** The cost profile in force. */
  CostProfile profile();

  /** Time that the profile has charged since it was made, in nanoseconds. */
  long chargedNs();

  /**
   * A domain.
   *
   * @param domain its number
   * @param bypass whether every access passes
   * @param endpoints attached functions
   * @param mappings mappings
   * @param pages granules mapped
   * @param bytes bytes mapped
   */
  record DomainInfo(
      int domain, boolean bypass, List<String> endpoints, long mappings, long pages, long bytes) {}

  /**
   * An endpoint outside every domain.
   *
   * @param endpoint function
   * @param access {@code bypassed} or {@code blocked}
   */
  record EndpointInfo(String endpoint, String access) {}

  /**
   * A mapping.
   *
   * @param start first address
   * @param end last address
   * @param physical guest-physical address of the first byte
   * @param permissions such as {@code rw}, {@code r-}, {@code rwm}
   */
  record MappingRange(long start, long end, long physical, String permissions) {}

  /**
   * A fault.
   *
   * @param timeMs milliseconds since the machine began, of the wall clock
   * @param reason {@code UNKNOWN}, {@code DOMAIN} or {@code MAPPING}
   * @param flags such as {@code read} or {@code write}
   * @param endpoint function
   * @param address bus address
   * @param reported whether the guest was told
   */
  record FaultInfo(
      long timeMs, String reason, String flags, String endpoint, long address, boolean reported) {}

  /**
   * Faults.
   *
   * @param faults all
   * @param reported of them told to the guest
   * @param dropped of them not told, for want of a buffer in the event queue
   */
  record FaultCounters(long faults, long reported, long dropped) {}

  /**
   * The translation cache.
   *
   * @param hits lookups answered from it
   * @param misses walks of a page table
   * @param invalidations entries dropped by UNMAP, DETACH and ATTACH
   */
  record IotlbCounters(long hits, long misses, long invalidations) {}
}
