package io.carom.iommu.host;

import io.carom.pci.BusIommu;
import io.carom.pci.Translation;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What is left of an IOMMU that was taken out: functions keep what they were, but those that it
 * translated are blocked. Without it they would go on with addresses that mean other memory now.
 *
 * @param blocked ports of functions that were translated
 * @param passing ports of functions that were attached to a domain that passes
 * @param bypass whether the rest passes
 */
record FrozenIommu(Set<String> blocked, Set<String> passing, boolean bypass) implements BusIommu {
  private static final Translation BLOCKED = (address, length, access) -> Translation.FAULT;

  @Override
  public @Nullable Translation translation(final String port) {
    final boolean passes = passing.contains(port) || (bypass && !blocked.contains(port));
    return passes ? null : BLOCKED;
  }
}
