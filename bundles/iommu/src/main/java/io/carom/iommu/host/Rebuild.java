package io.carom.iommu.host;

import io.carom.iommu.IommuState;
import io.carom.iommu.IommuState.DomainState;
import io.carom.iommu.IommuState.EndpointState;
import io.carom.iommu.IommuState.MappingState;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.host.endpoint.Endpoints;
import io.carom.iommu.host.table.Domain;
import io.carom.iommu.host.table.Mapping;
import io.carom.iommu.host.table.PageBudget;
import io.carom.iommu.host.table.PhysicalSpace;
import io.carom.iommu.host.table.Pte;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes domains and endpoints of what the machine kept of them, in an IOMMU that nobody asks yet.
 * What was kept was checked when it was made, but by other code: it is checked again. The limits of
 * a configuration hold for what comes, not for what is there.
 */
final class Rebuild {
  private final Map<Integer, Domain> domains;
  private final Endpoints endpoints;
  private final PageBudget budget;
  private final PhysicalSpace space;

  Rebuild(
      final Map<Integer, Domain> domains,
      final Endpoints endpoints,
      final PageBudget budget,
      final PhysicalSpace space) {
    this.domains = domains;
    this.endpoints = endpoints;
    this.budget = budget;
    this.space = space;
  }

  /**
   * Rebuilds everything.
   *
   * @return null, or in one line why it cannot be; nothing is attached then
   */
  @Nullable String from(final IommuState kept) {
    if (kept.version() < 1 || kept.version() > IommuState.VERSION) {
      return "what the machine keeps of the IOMMU has version "
          + kept.version()
          + ", this code understands 1.."
          + IommuState.VERSION;
    }
    budget.lenient(true);
    try {
      for (final DomainState state : kept.domains()) {
        final String wrong = domain(state);
        if (wrong != null) {
          return wrong;
        }
      }
    } finally {
      budget.lenient(false);
    }
    for (final EndpointState state : kept.endpoints()) {
      final Domain domain = domains.get(state.domain());
      if (domain == null && state.domain() != IommuState.NO_DOMAIN) {
        return "endpoint "
            + state.port()
            + " is in domain "
            + state.domain()
            + ", which is not kept";
      }
    }
    for (final EndpointState state : kept.endpoints()) {
      final Domain domain = domains.get(state.domain());
      endpoints.of(state.port()).move(domain, domain == null);
    }
    return null;
  }

  private @Nullable String domain(final DomainState state) {
    final Domain domain = new Domain(state.number(), state.passes(), budget, space);
    domains.put(state.number(), domain);
    for (final MappingState each : state.mappings()) {
      final int status =
          legal(each) && !state.passes() && !domain.overlaps(each.start(), each.last())
              ? domain.map(new Mapping(each.start(), each.last(), each.physical(), each.flags()))
              : IommuStatus.INVAL;
      if (status != IommuStatus.OK) {
        return "the mapping of 0x"
            + Long.toHexString(each.start())
            + " to 0x"
            + Long.toHexString(each.physical())
            + " in domain "
            + state.number()
            + " cannot be made again: status "
            + status;
      }
    }
    return null;
  }

  private static boolean legal(final MappingState each) {
    return each.start() >= 0
        && each.last() >= each.start()
        && each.last() <= (1L << IommuSettings.DEFAULT_INPUT_BITS) - 1
        && ((each.start() | each.physical() | (each.last() + 1)) & (Pte.GRANULE - 1)) == 0
        && (each.flags() & ~Pte.FLAGS) == 0
        && each.physical() >= 0
        && each.physical() <= (1L << PhysicalSpace.BITS) - (each.last() - each.start()) - 1;
  }

  /** Gives up what was rebuilt: what was attached is blocked. */
  void hold(final IommuState kept) {
    domains.values().forEach(Domain::dispose);
    domains.clear();
    kept.endpoints().forEach(endpoint -> endpoints.of(endpoint.port()).move(null, true));
  }
}
