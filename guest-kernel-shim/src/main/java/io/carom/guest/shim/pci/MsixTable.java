package io.carom.guest.shim.pci;

import io.carom.guest.PciDeviceInfo.Bar;
import io.carom.guest.shim.irq.IrqController;
import io.carom.memory.SystemBus;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.MsixDescriptor;
import java.util.List;
import java.util.Optional;

/**
 * A function's MSI-X table (PCI 3.0, section 6.8.2), programmed by the guest: each entry gets the
 * message address and, as data, a vector of the guest.
 */
public final class MsixTable {
  private static final int MASKED = 1;

  private final ConfigSpace config;
  private final SystemBus bus;
  private final int capability;
  private final long table;
  private final int vectors;

  private MsixTable(
      final ConfigSpace config,
      final SystemBus bus,
      final int capability,
      final long table,
      final int vectors) {
    this.config = config;
    this.bus = bus;
    this.capability = capability;
    this.table = table;
    this.vectors = vectors;
  }

  /** The table of a function, or empty when it has none that lies wholly within an assigned BAR. */
  static Optional<MsixTable> find(
      final ConfigSpace config, final SystemBus bus, final List<Bar> bars) {
    for (final Capabilities.Capability cap : Capabilities.walk(config)) {
      if (cap.id() != MsixDescriptor.CAPABILITY_ID
          || cap.offset() + MsixDescriptor.CAPABILITY_SIZE > ConfigSpaceDescriptor.SIZE) {
        continue;
      }
      final int control = config.read16(cap.offset() + MsixDescriptor.CONTROL);
      final int vectors = (control & MsixDescriptor.CONTROL_SIZE_MASK) + 1;
      final int where = config.read32(cap.offset() + MsixDescriptor.TABLE);
      final int bir = where & MsixDescriptor.BIR_MASK;
      final long offset = (where & ~MsixDescriptor.BIR_MASK) & 0xffff_ffffL;
      // at most 2^32 + 2048 * 16: no overflow
      final long end = offset + MsixDescriptor.entry(vectors);
      for (final Bar bar : bars) {
        if (bar.index() == bir && end <= bar.size()) {
          return Optional.of(
              new MsixTable(config, bus, cap.offset(), bar.address() + offset, vectors));
        }
      }
    }
    return Optional.empty();
  }

  /** Entries of the table. */
  public int vectors() {
    return vectors;
  }

  /** Turns MSI-X on with every entry masked; the function must decode its BARs. */
  public void enable() {
    control(MsixDescriptor.CONTROL_ENABLE | MsixDescriptor.CONTROL_FUNCTION_MASK, 0);
    for (int i = 0; i < vectors; i++) {
      bus.write(entry(i) + MsixDescriptor.ENTRY_CONTROL, 4, MASKED);
    }
    control(0, MsixDescriptor.CONTROL_FUNCTION_MASK);
  }

  /** Sends an entry to a vector of the guest and unmasks it. */
  public void program(final int entry, final int vector) {
    final long at = entry(entry);
    // an entry is changed only while it is masked, else a message of two halves could be sent
    bus.write(at + MsixDescriptor.ENTRY_CONTROL, 4, MASKED);
    bus.write(
        at + MsixDescriptor.ENTRY_ADDRESS_LOW, 4, IrqController.MESSAGE_ADDRESS & 0xffff_ffffL);
    bus.write(at + MsixDescriptor.ENTRY_ADDRESS_HIGH, 4, IrqController.MESSAGE_ADDRESS >>> 32);
    bus.write(at + MsixDescriptor.ENTRY_DATA, 4, vector);
    bus.write(at + MsixDescriptor.ENTRY_CONTROL, 4, 0);
  }

  /** Turns MSI-X off. */
  public void disable() {
    control(0, MsixDescriptor.CONTROL_ENABLE | MsixDescriptor.CONTROL_FUNCTION_MASK);
  }

  private long entry(final int index) {
    if (index < 0 || index >= vectors) {
      throw new IndexOutOfBoundsException("MSI-X entry " + index + " of " + vectors);
    }
    return table + MsixDescriptor.entry(index);
  }

  private void control(final int set, final int clear) {
    final int offset = capability + MsixDescriptor.CONTROL;
    config.write16(offset, (config.read16(offset) & ~clear) | set);
  }
}
