package io.carom.benchmarks.guest;

import io.carom.iommu.CostProfile;
import io.carom.iommu.host.cost.CostProfiles;

/** What an IOMMU's requests, copies and a device take, by the name of the profile. */
public final class Profiles {
  /** The one without costs. */
  public static final String NONE = CostProfiles.NONE;

  private Profiles() {}

  /**
   * A profile.
   *
   * @throws IllegalArgumentException when there is none; the message lists the valid ones
   */
  public static CostProfile of(final String name) {
    return CostProfiles.of(name);
  }
}
