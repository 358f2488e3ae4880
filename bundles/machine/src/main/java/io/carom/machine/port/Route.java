package io.carom.machine.port;

import io.carom.pci.PortWatch;
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
 * @param own memory of that range, decoded or not; of no bytes where there is none
 * @param ownSize bytes of {@code own} while it is decoded, else 0: no bus address leads there
 * @param translated whether the IOMMU applies to the function
 * @param hook the IOMMU's hook, or null for identity
 * @param watch told of each access, or null; a part of the route, so that who publishes another
 *     waits for those who still call it, and who does not watch pays for one load of a field
 */
record Route(
    long version,
    long epoch,
    boolean revoked,
    boolean busMaster,
    long ownBase,
    MemorySegment own,
    long ownSize,
    boolean translated,
    @Nullable Translation hook,
    @Nullable PortWatch watch) {
  /** The route of a new port: no bus mastering, nothing of its own. */
  static final Route INITIAL =
      new Route(1, 0, false, false, 0, MemorySegment.NULL, 0, true, null, null);

  /** What translates, or null for identity. */
  @Nullable Translation translation() {
    return translated ? hook : null;
  }

  Route busMaster(final boolean on) {
    return new Route(
        version + 1, epoch, revoked, on, ownBase, own, ownSize, translated, hook, watch);
  }

  /** The own range is decoded at {@code base}, or, without memory, nowhere. */
  Route own(final long base, final @Nullable MemorySegment memory) {
    return memory == null ? own(0, own, 0) : own(base, memory, memory.byteSize());
  }

  /** The own range has this memory; decoded where it was, if it is the same. */
  Route ownMemory(final MemorySegment memory) {
    return memory.equals(own) ? next() : own(0, memory, 0);
  }

  private Route own(final long base, final MemorySegment memory, final long decoded) {
    return new Route(
        version + 1, epoch, revoked, busMaster, base, memory, decoded, translated, hook, watch);
  }

  Route translation(final @Nullable Translation next) {
    return new Route(
        version + 1, epoch, revoked, busMaster, ownBase, own, ownSize, translated, next, watch);
  }

  Route translated(final boolean on) {
    return new Route(
        version + 1, epoch, revoked, busMaster, ownBase, own, ownSize, on, hook, watch);
  }

  Route watch(final @Nullable PortWatch other) {
    return new Route(
        version + 1, epoch, revoked, busMaster, ownBase, own, ownSize, translated, hook, other);
  }

  /** The same way under a new version: whoever resolved memory must do it again. */
  Route next() {
    return own(ownBase, own, ownSize);
  }

  Route revoke() {
    return new Route(
        version + 1, epoch, true, busMaster, ownBase, own, ownSize, translated, hook, watch);
  }

  Route renew() {
    return new Route(
        version + 1, epoch + 1, false, busMaster, ownBase, own, ownSize, translated, hook, watch);
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
