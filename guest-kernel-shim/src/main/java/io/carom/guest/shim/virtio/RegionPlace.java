package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.virtio.VirtioStructures.Range;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bounce region as a capability of type 10 describes it: a run of a BAR of the function, of one
 * of another function of the same device, or of guest RAM that firmware set apart.
 *
 * <p>Functions that share a region use parts of the same size, in the order of their numbers, so
 * that none allocates what is another's. Addresses on the wire that are offsets count from the
 * start of the whole.
 *
 * @param whole the region as the device knows it
 * @param part what this function uses of it
 * @param flags of the capability
 * @param ram whether it is guest RAM
 */
record RegionPlace(Range whole, Range part, int flags, boolean ram) {
  /** The region that the first usable capability names, or null. */
  static @Nullable RegionPlace find(
      final PciDevice pci, final List<VirtioCapabilities.Entry> entries) {
    for (final VirtioCapabilities.Entry entry : entries) {
      if (entry.type() == VirtioPciCapDescriptor.TYPE_SWIOTLB) {
        final @Nullable RegionPlace place = place(pci, entry);
        if (place != null) {
          return place;
        }
      }
    }
    return null;
  }

  private static @Nullable RegionPlace place(
      final PciDevice pci, final VirtioCapabilities.Entry entry) {
    if (entry.bar() == RegionCapDescriptor.SYSTEM_MEMORY) {
      final boolean usable = entry.length() > 0 && entry.offset() >= 0;
      final Range range = new Range(entry.offset(), entry.length(), 0);
      // whether RAM is there is found when it is mapped
      return usable && entry.offset() <= Long.MAX_VALUE - entry.length()
          ? new RegionPlace(range, range, entry.flags(), true)
          : null;
    }
    final int owner = owner(pci, entry);
    final int bar = entry.bar() & ~RegionCapDescriptor.OF_FUNCTION;
    final @Nullable PciDevice of = pci.sibling(owner).orElse(null);
    final @Nullable Range whole =
        of == null ? null : VirtioStructures.range(of, bar, entry.offset(), entry.length());
    if (of == null || whole == null) {
      return null;
    }
    final @Nullable Range part = part(pci.address().function(), entry.sharers(), whole);
    if (part == null) {
      return null;
    }
    of.config().command(ConfigSpaceDescriptor.COMMAND_MEMORY, 0); // it may have no driver
    return new RegionPlace(whole, part, entry.flags(), false);
  }

  private static int owner(final PciDevice pci, final VirtioCapabilities.Entry entry) {
    return (entry.bar() & RegionCapDescriptor.OF_FUNCTION) != 0
        ? entry.function()
        : pci.address().function();
  }

  /** The part of one of several functions; null when its number is beyond theirs. */
  private static @Nullable Range part(final int function, final int sharers, final Range whole) {
    if (sharers < 2) {
      return whole;
    }
    final long bytes = whole.length() / sharers / RegionSizing.SET_BYTES * RegionSizing.SET_BYTES;
    return function >= sharers || bytes == 0
        ? null
        : new Range(whole.address() + function * bytes, bytes, whole.inBar() + function * bytes);
  }

  /** Whether addresses on the wire are offsets, once the feature is accepted. */
  boolean offsets() {
    return (flags & RegionCapDescriptor.FLAG_OFFSETS) != 0;
  }

  /** Whether a queue must lie in the region as a whole or not at all. */
  boolean allOrNothing() {
    return (flags & RegionCapDescriptor.FLAG_ALL_OR_NOTHING) != 0;
  }
}
