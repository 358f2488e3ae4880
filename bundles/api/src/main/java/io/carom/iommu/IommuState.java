package io.carom.iommu;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is kept of an IOMMU.
 *
 * @param version of this record's meaning; {@value #VERSION} is written. A newer one is refused
 * @param configured whether endpoints that are attached to nothing pass, as it was configured
 * @param bypass whether they pass now: a driver may have changed it
 * @param endpoints those that are attached, or held
 * @param domains those that an endpoint is attached to, by number
 */
public record IommuState(
    int version,
    boolean configured,
    boolean bypass,
    List<EndpointState> endpoints,
    List<DomainState> domains) {
  /** The version that this code writes. */
  public static final int VERSION = 1;

  /** Number of no domain. */
  public static final int NO_DOMAIN = -1;

  /** Copies the lists. */
  public IommuState {
    endpoints = List.copyOf(endpoints);
    domains = List.copyOf(domains);
  }

  /**
   * An endpoint.
   *
   * @param port name of its port
   * @param domain number of its domain, or {@link #NO_DOMAIN}: then it is held, that is blocked
   *     until it is attached
   */
  public record EndpointState(String port, int domain) {}

  /**
   * A domain.
   *
   * @param number its number
   * @param passes whether accesses pass as they are
   * @param mappings by address, disjoint
   */
  public record DomainState(int number, boolean passes, List<MappingState> mappings) {
    /** Copies the list. */
    public DomainState {
      mappings = List.copyOf(mappings);
    }
  }

  /**
   * What one MAP mapped.
   *
   * @param start first address
   * @param last last address
   * @param physical what {@code start} is mapped to
   * @param flags as MAP has them
   */
  public record MappingState(long start, long last, long physical, int flags) {}

  /**
   * A change that cannot be made twice.
   *
   * @param domain number of the domain
   * @param mapped what was mapped, or null
   * @param detached port of the endpoint that was detached, or null
   */
  public record Change(int domain, @Nullable MappingState mapped, @Nullable String detached) {}
}
