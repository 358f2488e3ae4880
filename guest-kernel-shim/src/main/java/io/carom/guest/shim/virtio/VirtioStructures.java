package io.carom.guest.shim.virtio;

import io.carom.guest.PciDeviceInfo.Bar;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a function keeps its virtio structures (virtio 1.4, section Virtio Structure PCI
 * Capabilities). The driver takes the first usable one of each type, ignores types and BAR numbers
 * it does not know, accepts capabilities and structures that are longer than it needs, and one that
 * claims more than its BAR has, or does not lie on its boundary, is as good as absent.
 *
 * @param common the common configuration
 * @param doorbells the notification area
 * @param multiplier what a queue's notify offset is multiplied by
 * @param isr the ISR status
 * @param device the device configuration, or null
 * @param region the bounce region (type 10 of the SWIOTLB proposal), or null
 * @param shared shared memory regions by their ids
 */
record VirtioStructures(
    Range common,
    Range doorbells,
    long multiplier,
    Range isr,
    @Nullable Range device,
    @Nullable RegionPlace region,
    Map<Integer, Range> shared) {
  private static final int COMMON_ALIGN = 4;
  private static final int DEVICE_ALIGN = 4;
  private static final int NOTIFY_ALIGN = 2;
  private static final int LEAST_NOTIFY = 2;

  /**
   * A run of addresses.
   *
   * @param address guest-physical
   * @param length bytes
   * @param inBar offset in the BAR, or in RAM 0
   */
  record Range(long address, long length, long inBar) {}

  /** A usable capability. */
  private record Found(VirtioCapabilities.Entry entry, Range range) {}

  /**
   * Finds the structures.
   *
   * @throws ProbeException when one that a modern driver needs is missing: a legacy device, which
   *     it must refuse gracefully
   */
  static VirtioStructures find(final PciDevice pci) throws ProbeException {
    final List<VirtioCapabilities.Entry> entries = VirtioCapabilities.read(pci.config());
    final Range common =
        need(
                find(
                    pci,
                    entries,
                    VirtioPciCapDescriptor.TYPE_COMMON,
                    CommonCfgDescriptor.SIZE,
                    COMMON_ALIGN),
                "common")
            .range();
    final Found notify =
        need(
            find(pci, entries, VirtioPciCapDescriptor.TYPE_NOTIFY, LEAST_NOTIFY, NOTIFY_ALIGN),
            "notify");
    final Range isr =
        need(find(pci, entries, VirtioPciCapDescriptor.TYPE_ISR, 1, 1), "ISR").range();
    final Range device =
        find(pci, entries, VirtioPciCapDescriptor.TYPE_DEVICE, 1, DEVICE_ALIGN)
            .map(Found::range)
            .orElse(null);
    return new VirtioStructures(
        common,
        notify.range(),
        notify.entry().multiplier(),
        isr,
        device,
        RegionPlace.find(pci, entries),
        shared(pci, entries));
  }

  private static Found need(final Optional<Found> found, final String what) throws ProbeException {
    if (found.isEmpty()) {
      throw new ProbeException("no usable virtio " + what + " capability");
    }
    return found.get();
  }

  private static Optional<Found> find(
      final PciDevice pci,
      final List<VirtioCapabilities.Entry> entries,
      final int type,
      final long least,
      final int align) {
    for (final VirtioCapabilities.Entry entry : entries) {
      if (entry.type() == type && entry.offset() % align == 0 && entry.length() >= least) {
        final @Nullable Range range = range(pci, entry.bar(), entry.offset(), entry.length());
        if (range != null) {
          return Optional.of(new Found(entry, range));
        }
      }
    }
    return Optional.empty();
  }

  private static Map<Integer, Range> shared(
      final PciDevice pci, final List<VirtioCapabilities.Entry> entries) {
    final Map<Integer, Range> found = new HashMap<>();
    for (final VirtioCapabilities.Entry entry : entries) {
      if (entry.type() == VirtioPciCapDescriptor.TYPE_SHARED_MEMORY) {
        final @Nullable Range range = range(pci, entry.bar(), entry.offset(), entry.length());
        if (range != null) {
          found.putIfAbsent(entry.id(), range);
        }
      }
    }
    return Map.copyOf(found);
  }

  /** A run of a BAR, or null when the BAR has no such run, or there is no such BAR. */
  static @Nullable Range range(
      final PciDevice pci, final int index, final long offset, final long length) {
    final Optional<Bar> bar = pci.bar(index);
    if (bar.isEmpty() || length < 1 || offset < 0) {
      return null; // what is negative here is 2^63 or more
    }
    final long size = bar.get().size();
    // subtracted, as the sum of two 64-bit values could overflow
    return offset > size || length > size - offset
        ? null
        : new Range(bar.get().address() + offset, length, offset);
  }
}
