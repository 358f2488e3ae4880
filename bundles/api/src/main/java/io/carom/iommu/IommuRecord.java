package io.carom.iommu;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One incarnation's hold on what the machine keeps of the IOMMU. Thread-safe; no call waits.
 *
 * <p>Each change returns false when another incarnation has claimed the record: nothing was changed
 * then, and the request must not be answered OK.
 *
 * <p><b>In which order</b> a request is done. Its code may end, or be cut off by the next claim,
 * between any two steps; the request was not answered then, and is asked again. What gives access
 * (ATTACH, MAP) is done first, then written here, then answered: what was answered is here. What
 * takes access away (DETACH, UNMAP) is written here first, then done, with the wait for accesses
 * that go on, then answered: what was answered is not here, and neither is what was about to be, so
 * it never comes back. A MAP or a DETACH that was written and not answered cannot be done twice;
 * {@link #last} tells it from one that nobody has done.
 */
@ProviderType
public interface IommuRecord {
  /** What was kept when it was claimed, or null when there was nothing. */
  @Nullable IommuState kept();

  /**
   * Begins anew, and forgets what was kept but for this.
   *
   * @param version of the meaning of what follows, see {@link IommuState#version}
   * @param configured whether endpoints that are attached to nothing pass; so do they now
   */
  boolean begin(int version, boolean configured);

  /** Goes on from what was kept, with the meaning of this version. */
  boolean goOn(int version, boolean configured);

  /** Whether endpoints that are attached to nothing pass. */
  boolean bypass(boolean on);

  /**
   * An endpoint is attached to a domain, and to no other; the one that it leaves ends if it was its
   * last endpoint.
   *
   * @param port name of the endpoint's port
   * @param passes whether accesses pass in that domain; for one that is there it is what it was
   */
  boolean attached(String port, int domain, boolean passes);

  /**
   * An endpoint is attached to nothing.
   *
   * @param held whether it is blocked until it is attached, whatever {@link #bypass} says
   */
  boolean detached(String port, boolean held);

  /**
   * A domain has one more mapping.
   *
   * @param start first address, below 2^63
   * @param last last address, not below {@code start}
   * @param physical what {@code start} is mapped to
   * @param flags as MAP has them
   */
  boolean mapped(int domain, long start, long last, long physical, int flags);

  /** The mappings of a domain that lie within a range, as a whole, are gone. */
  boolean unmapped(int domain, long start, long last);

  /** The last change, if it was a MAP or a DETACH; null otherwise. */
  IommuState.@Nullable Change last();

  /** Forgets the last change: its request is known to be answered, or of no interest. */
  void settled();

  /** Whether another incarnation has claimed it. */
  boolean isVoid();
}
