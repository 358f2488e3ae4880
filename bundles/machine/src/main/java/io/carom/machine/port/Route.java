package io.carom.machine.port;

import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Everything that decides where a function's accesses go, immutable. Each change makes a new one
 * with the next version.
 *
 * @param version grows with every change
 * @param epoch sessions of another epoch are revoked
 * @param revoked whether no section may begin at all
 * @param busMaster whether the function may access anything but its own range
 * @param ownBase bus address of the function's own SWIOTLB range
 * @param own memory of that range; of no bytes where there is none
 * @param ownSize bytes of {@code own}
 * @param translation the IOMMU's hook, or null for identity
 */
record Route(
    long version,
    long epoch,
    boolean revoked,
    boolean busMaster,
    long ownBase,
    MemorySegment own,
    long ownSize,
    @Nullable Translation translation) {
  /** The route of a new port: no bus mastering, nothing of its own. */
  static final Route INITIAL = new Route(1, 0, false, false, 0, MemorySegment.NULL, 0, null);

  Route busMaster(final boolean on) {
    return new Route(version + 1, epoch, revoked, on, ownBase, own, ownSize, translation);
  }

  Route own(final long base, final @Nullable MemorySegment memory) {
    return memory == null
        ? new Route(version + 1, epoch, revoked, busMaster, 0, MemorySegment.NULL, 0, translation)
        : new Route(
            version + 1, epoch, revoked, busMaster, base, memory, memory.byteSize(), translation);
  }

  Route translation(final @Nullable Translation hook) {
    return new Route(version + 1, epoch, revoked, busMaster, ownBase, own, ownSize, hook);
  }

  /** The same way under a new version: whoever resolved memory must do it again. */
  Route next() {
    return new Route(version + 1, epoch, revoked, busMaster, ownBase, own, ownSize, translation);
  }

  Route revoke() {
    return new Route(version + 1, epoch, true, busMaster, ownBase, own, ownSize, translation);
  }

  Route renew() {
    return new Route(version + 1, epoch + 1, false, busMaster, ownBase, own, ownSize, translation);
  }

  /** Whether an address is in the own range; false for every address when there is none. */
  boolean owns(final long address) {
    return Long.compareUnsigned(address - ownBase, ownSize) < 0;
  }

  /** Whether all of a run is in the own range. */
  boolean ownsAll(final long address, final long length) {
    // Behind the first test address - ownBase < ownSize, so the difference cannot be negative.
    return length >= 1 && owns(address) && length <= ownSize - (address - ownBase);
  }
}
