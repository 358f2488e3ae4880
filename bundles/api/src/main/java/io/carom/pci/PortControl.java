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
   * Sets the function's own SWIOTLB range, or takes it away.
   *
   * @param base bus address of the range
   * @param memory its bytes; null when the range is not decoded
   */
  boolean ownRegion(long base, @Nullable MemorySegment memory);

  /**
   * Sets the bytes of the function's own SWIOTLB range for accesses by offset ({@link
   * BusSession#resolveOwn}), which do not ask where the range is decoded; null when there is none
   * or it must not be reached.
   */
  default boolean ownMemory(final @Nullable MemorySegment memory) {
    return true;
  }

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
