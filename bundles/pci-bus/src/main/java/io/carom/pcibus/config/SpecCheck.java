package io.carom.pcibus.config;

import io.carom.pci.BarSpec;
import io.carom.pci.MsixDescriptor;
import io.carom.pci.MsixSpec;
import io.carom.pci.PciFunctionSpec;

/** What a function must obey as a whole, beyond what each record of its spec checks alone. */
final class SpecCheck {
  private static final long MAX_32_BIT_BAR = 1L << 31;

  private SpecCheck() {}

  /**
   * Checks a function.
   *
   * @throws IllegalArgumentException with one line that names what is wrong
   */
  static void check(final PciFunctionSpec spec) {
    field("vendor id", spec.vendorId(), 16);
    field("device id", spec.deviceId(), 16);
    field("revision", spec.revision(), 8);
    field("class code", spec.classCode(), 24);
    field("subsystem vendor id", spec.subsystemVendorId(), 16);
    field("subsystem id", spec.subsystemId(), 16);
    if (spec.vendorId() == 0xffff) { // PCI 3.0 section 6.1: reads as no device
      throw new IllegalArgumentException("vendor id 0xffff means that there is no function");
    }
    if (spec.interruptPin() < 0 || spec.interruptPin() > 4) {
      throw new IllegalArgumentException("interrupt pin " + spec.interruptPin() + " not in 0..4");
    }
    bars(spec);
    final MsixSpec msix = spec.msix();
    if (msix != null) {
      msix(spec, msix);
    }
  }

  private static void bars(final PciFunctionSpec spec) {
    int taken = 0;
    int ranges = 0;
    for (final BarSpec bar : spec.bars()) {
      final int registers = (bar.wide() ? 3 : 1) << bar.index();
      if ((taken & registers) != 0) {
        throw new IllegalArgumentException("BAR " + bar.index() + " is used twice");
      }
      taken |= registers;
      if (!bar.wide() && bar.size() > MAX_32_BIT_BAR) {
        throw new IllegalArgumentException(
            "BAR " + bar.index() + " of " + bar.size() + " bytes must be a 64-bit one");
      }
      ranges += bar.swiotlb() ? 1 : 0;
    }
    if (ranges > 1) {
      throw new IllegalArgumentException("more than one BAR is the SWIOTLB range");
    }
  }

  private static void msix(final PciFunctionSpec spec, final MsixSpec msix) {
    final BarSpec bar =
        spec.bars().stream()
            .filter(b -> b.index() == msix.bar() && b.memory() == null)
            .findAny()
            .orElseThrow(
                () ->
                    new IllegalArgumentException("MSI-X BAR " + msix.bar() + " has no registers"));
    // 31-bit offsets plus at most 32 KiB, in longs: no overflow
    final long table = msix.tableOffset();
    final long tableEnd = table + (long) msix.vectors() * MsixDescriptor.ENTRY_SIZE;
    final long pba = msix.pbaOffset();
    final long pbaEnd = pba + MsixDescriptor.pbaSize(msix.vectors());
    if (table < 0 || pba < 0 || tableEnd > bar.size() || pbaEnd > bar.size()) {
      throw new IllegalArgumentException(
          "MSI-X table or PBA lies outside BAR " + bar.index() + " of " + bar.size() + " bytes");
    }
    if (table < pbaEnd && pba < tableEnd) {
      throw new IllegalArgumentException("MSI-X table and PBA overlap");
    }
  }

  private static void field(final String name, final int value, final int bits) {
    if (value >>> bits != 0) {
      throw new IllegalArgumentException(
          name + " 0x" + Integer.toHexString(value) + " has more than " + bits + " bits");
    }
  }
}
