package io.carom.guest.shim.virtio;

import io.carom.guest.shim.pci.Capabilities;
import io.carom.guest.shim.pci.ConfigSpace;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.VirtioPciCapDescriptor;
import java.util.ArrayList;
import java.util.List;

/**
 * The virtio capabilities of a function, as they were read once (virtio 1.4, section Virtio
 * Structure PCI Capabilities). One that is shorter than its type needs, or that reaches out of
 * config space, is left out; longer ones are fine. Types and BAR numbers are for the user to judge:
 * what he does not know he ignores.
 */
final class VirtioCapabilities {
  private static final long LOW = 0xffff_ffffL;

  /**
   * One capability.
   *
   * @param type cfg_type
   * @param bar number of the BAR, as it is
   * @param id tells several of a type apart
   * @param function number of the function that has the BAR, in one of type SWIOTLB
   * @param sharers number of functions that share its region, 1 when it is not shared
   * @param flags of one of type SWIOTLB
   * @param offset in the BAR
   * @param length bytes
   * @param multiplier of one of type NOTIFY
   */
  record Entry(
      int type,
      int bar,
      int id,
      int function,
      int sharers,
      int flags,
      long offset,
      long length,
      long multiplier) {}

  private VirtioCapabilities() {}

  /** Reads them, in the order of the list. */
  static List<Entry> read(final ConfigSpace config) {
    final List<Entry> found = new ArrayList<>();
    for (final Capabilities.Capability cap : Capabilities.walk(config)) {
      final int at = cap.offset();
      if (cap.id() != VirtioPciCapDescriptor.CAPABILITY_ID
          || at + VirtioPciCapDescriptor.SIZE > ConfigSpaceDescriptor.SIZE) {
        continue;
      }
      final int bytes = config.read8(at + VirtioPciCapDescriptor.CAP_LEN);
      final int type = config.read8(at + VirtioPciCapDescriptor.CFG_TYPE);
      if (bytes >= least(type) && at + bytes <= ConfigSpaceDescriptor.SIZE) {
        found.add(entry(config, at, type, bytes));
      }
    }
    return found;
  }

  private static int least(final int type) {
    return switch (type) {
      case VirtioPciCapDescriptor.TYPE_NOTIFY -> VirtioPciCapDescriptor.EXTENDED_SIZE;
      case VirtioPciCapDescriptor.TYPE_SHARED_MEMORY -> VirtioPciCapDescriptor.SIZE_64;
      default -> VirtioPciCapDescriptor.SIZE;
    };
  }

  private static Entry entry(
      final ConfigSpace config, final int at, final int type, final int bytes) {
    final boolean region = type == VirtioPciCapDescriptor.TYPE_SWIOTLB;
    final boolean extended = region && bytes >= RegionCapDescriptor.SIZE_64;
    final boolean wide = extended || type == VirtioPciCapDescriptor.TYPE_SHARED_MEMORY;
    long offset = config.read32(at + VirtioPciCapDescriptor.OFFSET) & LOW;
    long length = config.read32(at + VirtioPciCapDescriptor.LENGTH) & LOW;
    if (wide) {
      offset |= (long) config.read32(at + VirtioPciCapDescriptor.OFFSET_HIGH) << 32;
      length |= (long) config.read32(at + VirtioPciCapDescriptor.LENGTH_HIGH) << 32;
    }
    final int where = config.read8(at + RegionCapDescriptor.FUNCTION);
    return new Entry(
        type,
        config.read8(at + VirtioPciCapDescriptor.BAR),
        config.read8(at + VirtioPciCapDescriptor.ID),
        extended ? where & RegionCapDescriptor.FUNCTION_MASK : 0,
        extended
            ? (where >>> RegionCapDescriptor.SHARERS_SHIFT & RegionCapDescriptor.FUNCTION_MASK) + 1
            : 1,
        extended ? config.read8(at + RegionCapDescriptor.FLAGS) : 0,
        offset,
        length,
        type == VirtioPciCapDescriptor.TYPE_NOTIFY
            ? config.read32(at + VirtioPciCapDescriptor.NOTIFY_MULTIPLIER) & LOW
            : 0);
  }
}
