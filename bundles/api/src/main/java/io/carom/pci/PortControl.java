package io.carom.pci;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The bus's and the IOMMU's side of a {@link BusPort}: its routes. Each method publishes the new
 * route, then waits until the sections begun under the old one have ended, at most the machine's
 * {@code quiesceTimeoutMs}; it returns false when one outlived that. Thread-safe.
 *
 * <p>A section must not call these methods: it would wait for itself.
 */
@ProviderType
public interface PortControl {
  /** The port. */
  BusPort port();

  /** Sets bus mastering (command register bit 2). */
  boolean busMaster(boolean on);

  /**
   * Sets where the function's own SWIOTLB range is decoded, or that it is not.
   *
   * @param base bus address of the range
   * @param memory its bytes; null when the range is not decoded, and is reached by no bus address
   */
  boolean ownRegion(long base, @Nullable MemorySegment memory);

  /**
   * Tells the port which memory the function's own SWIOTLB range has, wherever it is decoded and
   * whether it is: what {@link BusSession#resolveOwn} reaches by offset. To be called before the
   * function is told of its port; {@link #ownRegion} implies it.
   */
  boolean ownMemory(MemorySegment memory);

  /** Sets the translation; null means identity. */
  boolean translation(@Nullable Translation translation);

  /** Whether the translation applies; it does in a new port. */
  boolean translated(boolean on);

  /** Waits until the sections that are open now have ended. */
  boolean quiesce(Duration timeout);

  /**
   * Revokes the port's epoch: open sections may end, no new one begins, until {@link #renew}.
   * Returns after the open ones have ended, false if one outlived the timeout.
   */
  boolean revoke(Duration timeout);

  /** Starts a new epoch; sessions opened before stay revoked. */
  void renew();

  /** Removes the port from the machine; revokes it first. */
  void close();
}
