package io.carom.guest.shim.pci;

import io.carom.guest.PciDeviceInfo.Bar;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.ConfigSpaceDescriptor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Sizes BARs and gives them addresses. 64-bit BARs live in the 64-bit window, 32-bit ones in the
 * 32-bit window; the largest is placed first, so that alignment wastes least. Not thread-safe: the
 * work thread's.
 */
final class BarAssigner {
  private static final int BAR_IO = 1;
  private static final int SMALLEST = 16;

  private final AddressWindow low =
      new AddressWindow(PhysicalLayout.MMIO32_BASE, PhysicalLayout.MMIO32_LIMIT);
  private final AddressWindow high =
      new AddressWindow(PhysicalLayout.MMIO64_BASE, PhysicalLayout.MMIO64_LIMIT);
  private final Dmesg dmesg;

  BarAssigner(final Dmesg dmesg) {
    this.dmesg = dmesg;
  }

  /**
   * Sizes the BARs of a function and places them. Decoding must be off: while it is being sized, a
   * BAR would otherwise answer at the address that all ones make.
   *
   * @return the BARs that got an address, by index
   */
  List<Bar> assign(final ConfigSpace config, final String name) {
    final List<Bar> sized = size(config, name);
    sized.sort(Comparator.comparingLong(Bar::size).reversed());
    final List<Bar> placed = new ArrayList<>();
    for (final Bar bar : sized) {
      final AddressWindow window = bar.wide() ? high : low;
      final long base = window.allocate(bar.size());
      if (base == AddressWindow.NONE) {
        dmesg.log(
            "pci "
                + name
                + ": BAR "
                + bar.index()
                + " [mem size 0x"
                + Long.toHexString(bar.size())
                + "]: can't assign; no space");
        continue;
      }
      final Bar at = new Bar(bar.index(), base, bar.size(), bar.wide(), bar.prefetchable());
      write(config, at);
      dmesg.log("pci " + name + ": " + describe(at) + ": assigned");
      placed.add(at);
    }
    placed.sort(Comparator.comparingInt(Bar::index));
    return placed;
  }

  /** Takes back the addresses of a function. */
  void release(final List<Bar> bars) {
    for (final Bar bar : bars) {
      (bar.wide() ? high : low).free(bar.address(), bar.size());
    }
  }

  /** Whether the function's BARs still hold what was assigned: it was not replaced or reset. */
  static boolean intact(final ConfigSpace config, final List<Bar> bars) {
    for (final Bar bar : bars) {
      final int offset = ConfigSpaceDescriptor.bar(bar.index());
      final int flags = ConfigSpaceDescriptor.BAR_FLAGS;
      if ((config.read32(offset) & ~flags) != (int) bar.address()) {
        return false;
      }
      if (bar.wide() && config.read32(offset + 4) != (int) (bar.address() >>> 32)) {
        return false;
      }
    }
    return true;
  }

  /** The kernel's way to write a BAR. */
  static String describe(final Bar bar) {
    final int digits = bar.wide() ? 10 : 8;
    final long last = bar.address() + bar.size() - 1;
    final String format = "BAR %d [mem 0x%0" + digits + "x-0x%0" + digits + "x%s%s]";
    return format.formatted(
        bar.index(),
        bar.address(),
        last,
        bar.wide() ? " 64bit" : "",
        bar.prefetchable() ? " pref" : "");
  }

  /** Writes all ones, reads back which bits stick: the size is the lowest of them. */
  private List<Bar> size(final ConfigSpace config, final String name) {
    final List<Bar> bars = new ArrayList<>();
    for (int index = 0; index < ConfigSpaceDescriptor.BARS; index++) {
      final int offset = ConfigSpaceDescriptor.bar(index);
      final int old = config.read32(offset);
      final int probe = probe(config, offset, old);
      if (probe == 0 || probe == -1) {
        continue; // not implemented, or the function has just gone
      }
      if ((probe & BAR_IO) != 0) {
        dmesg.log("pci " + name + ": BAR " + index + " is I/O space: ignored");
        continue;
      }
      final boolean wide =
          (probe & ConfigSpaceDescriptor.BAR_64) != 0 && index < ConfigSpaceDescriptor.BARS - 1;
      // a 32-bit BAR's upper half counts as writable ones
      long mask = (probe & ~ConfigSpaceDescriptor.BAR_FLAGS) | (0xffff_ffffL << 32);
      if (wide) {
        final int upper = probe(config, offset + 4, config.read32(offset + 4));
        mask = ((long) upper << 32) | (mask & 0xffff_ffffL);
      }
      final long size = Long.lowestOneBit(mask);
      if (size >= SMALLEST && size <= 1L << 62) {
        final boolean pref = (probe & ConfigSpaceDescriptor.BAR_PREFETCHABLE) != 0;
        bars.add(new Bar(index, 0, size, wide, pref));
      } else {
        dmesg.log("pci " + name + ": BAR " + index + " has no size: ignored");
      }
      if (wide) {
        index++; // the upper half is not a BAR of its own
      }
    }
    return bars;
  }

  private static int probe(final ConfigSpace config, final int offset, final int old) {
    config.write32(offset, -1);
    final int value = config.read32(offset);
    config.write32(offset, old);
    return value;
  }

  private static void write(final ConfigSpace config, final Bar bar) {
    final int offset = ConfigSpaceDescriptor.bar(bar.index());
    config.write32(offset, (int) bar.address());
    if (bar.wide()) {
      config.write32(offset + 4, (int) (bar.address() >>> 32));
    }
  }
}
