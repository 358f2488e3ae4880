package io.carom.iommu.host.cost;

import io.carom.iommu.CostProfile;

/**
 * Adds up what requests cost and charges it at the end of a kick, all at once: waits of a few
 * hundred nanoseconds each would cost more than they model. Guarded by the IOMMU's lock, which is
 * held while time is charged, as the lock of the container of a VMM is held while it pins pages and
 * invalidates.
 */
public final class CostMeter {
  private final CostClock clock;
  private CostProfile profile;
  private long due;
  private long charged;

  /** A meter. */
  public CostMeter(final CostClock clock, final CostProfile profile) {
    this.clock = clock;
    this.profile = profile;
  }

  /** The profile in force. */
  public CostProfile profile() {
    return profile;
  }

  /** Another profile, for what is done from now on. */
  public void profile(final CostProfile next) {
    profile = next;
  }

  /** A kick. */
  public void kick() {
    due += profile.kickNs();
  }

  /** A MAP, whatever its answer. */
  public void map() {
    due += profile.mapNs();
  }

  /** Pages that a MAP pinned. */
  public void pinned(final long pages) {
    due += pages * profile.mapPageNs(); // at most 2^36 pages of 2^20 ns
  }

  /** An UNMAP, whatever its answer. */
  public void unmap() {
    due += profile.unmapNs();
  }

  /** Pages that an UNMAP gave back. */
  public void unpinned(final long pages) {
    due += pages * profile.unmapPageNs();
  }

  /** An invalidation. */
  public void invalidation() {
    due += profile.invalidationNs();
  }

  /** Charges what is due. */
  public void settle() {
    final long ns = due;
    due = 0;
    charged += ns;
    clock.charge(ns);
  }

  /** Nanoseconds charged so far. */
  public long charged() {
    return charged;
  }
}
