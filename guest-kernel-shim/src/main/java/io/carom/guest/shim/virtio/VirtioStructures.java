package io.carom.guest.shim.virtio;

import io.carom.guest.PciDeviceInfo.Bar;
import io.carom.guest.shim.pci.Capabilities;
import io.carom.guest.shim.pci.ConfigSpace;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a function keeps its virtio structures (virtio 1.4, section Virtio Structure PCI
 * Capabilities). The driver takes the first usable one of each type, ignores types and BAR numbers
 * it does not know, accepts capabilities and structures that are longer than it needs, and one that
 * claims more than its BAR has is as good as absent.
 *
 * @param common the common configuration
 * @param doorbells the notification area
 * @param multiplier what a queue's notify offset is multiplied by
 * @param isr the ISR status
 * @param device the device configuration, or null
 * @param swiotlb the bounce region (type 10 of the SWIOTLB proposal), or null
 */
record VirtioStructures(
    Range common,
    Range doorbells,
    long multiplier,
    Range isr,
    @Nullable Range device,
    @Nullable Range swiotlb) {
  private static final int LEAST_NOTIFY = 2;

  /**
   * A run of a BAR.
   *
   * @param address guest-physical
   * @param length bytes
   */
  record Range(long address, long length) {}

  /** A usable capability. */
  private record Found(int offset, Range range) {}

  /**
   * Finds the structures.
   *
   * @throws ProbeException when one that a modern driver needs is missing: a legacy device, which
   *     it must refuse gracefully
   */
  static VirtioStructures find(final PciDevice pci) throws ProbeException {
    final Found common =
        need(pci, VirtioPciCapDescriptor.TYPE_COMMON, CommonCfgDescriptor.SIZE, "common");
    final Found notify = need(pci, VirtioPciCapDescriptor.TYPE_NOTIFY, LEAST_NOTIFY, "notify");
    final Found isr = need(pci, VirtioPciCapDescriptor.TYPE_ISR, 1, "ISR");
    final int multiplierAt = notify.offset() + VirtioPciCapDescriptor.NOTIFY_MULTIPLIER;
    return new VirtioStructures(
        common.range(),
        notify.range(),
        pci.config().read32(multiplierAt) & 0xffff_ffffL,
        isr.range(),
        find(pci, VirtioPciCapDescriptor.TYPE_DEVICE, 1).map(Found::range).orElse(null),
        find(pci, VirtioPciCapDescriptor.TYPE_SWIOTLB, 1).map(Found::range).orElse(null));
  }

  private static Found need(
      final PciDevice pci, final int type, final long least, final String what)
      throws ProbeException {
    final Optional<Found> found = find(pci, type, least);
    if (found.isEmpty()) {
      throw new ProbeException("no usable virtio " + what + " capability");
    }
    return found.get();
  }

  private static Optional<Found> find(final PciDevice pci, final int type, final long least) {
    final ConfigSpace config = pci.config();
    final int shortest =
        type == VirtioPciCapDescriptor.TYPE_NOTIFY
            ? VirtioPciCapDescriptor.EXTENDED_SIZE
            : VirtioPciCapDescriptor.SIZE;
    for (final Capabilities.Capability cap : Capabilities.walk(config)) {
      final int at = cap.offset();
      if (cap.id() != VirtioPciCapDescriptor.CAPABILITY_ID
          || at + VirtioPciCapDescriptor.SIZE > ConfigSpaceDescriptor.SIZE
          || config.read8(at + VirtioPciCapDescriptor.CFG_TYPE) != type) {
        continue;
      }
      final int length = config.read8(at + VirtioPciCapDescriptor.CAP_LEN);
      if (length < shortest || at + length > ConfigSpaceDescriptor.SIZE) {
        continue;
      }
      final Optional<Range> range = range(pci, at, least);
      if (range.isPresent()) {
        return Optional.of(new Found(at, range.get()));
      }
    }
    return Optional.empty();
  }

  private static Optional<Range> range(final PciDevice pci, final int at, final long least) {
    final int index = pci.config().read8(at + VirtioPciCapDescriptor.BAR);
    final Optional<Bar> bar = pci.bar(index);
    final long offset = pci.config().read32(at + VirtioPciCapDescriptor.OFFSET) & 0xffff_ffffL;
    final long length = pci.config().read32(at + VirtioPciCapDescriptor.LENGTH) & 0xffff_ffffL;
    // both are below 2^32: the sum cannot overflow
    if (bar.isEmpty() || length < least || offset + length > bar.get().size()) {
      return Optional.empty();
    }
    return Optional.of(new Range(bar.get().address() + offset, length));
  }
}
