package io.carom.guest.shim.pci;

import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import io.carom.pci.HotplugDescriptor;

/** The host bridge's hotplug registers; one bit per slot of bus 0. */
final class HotplugRegisters {
  private static final long ABSENT = 0xffff_ffffL;

  private final SystemBus bus;

  HotplugRegisters(final SystemBus bus) {
    this.bus = bus;
  }

  /** Whether a host bridge answers. */
  boolean present() {
    return read(HotplugDescriptor.ADDRESS_LOW) != ABSENT;
  }

  /** Whether the notification goes where this guest wants it: else the bridge was started anew. */
  boolean programmed(final long address, final int data) {
    return read(HotplugDescriptor.ADDRESS_LOW) == (address & 0xffff_ffffL)
        && read(HotplugDescriptor.DATA) == data;
  }

  /** Says where the notification goes; address 0 for nowhere. */
  void notification(final long address, final int data) {
    // off while it is half written: an address of zero sends nothing
    write(HotplugDescriptor.ADDRESS_LOW, 0);
    write(HotplugDescriptor.ADDRESS_HIGH, (int) (address >>> 32));
    write(HotplugDescriptor.DATA, data);
    write(HotplugDescriptor.ADDRESS_LOW, (int) address);
  }

  /** Reads a register of slots and clears what it read; nothing while no bridge answers. */
  int take(final int register) {
    if (!present()) {
      return 0;
    }
    final int slots = (int) read(register);
    if (slots != 0) {
      write(register, slots);
    }
    return slots;
  }

  /** Lets a slot go. */
  void eject(final int slot) {
    write(HotplugDescriptor.EJECT, 1 << slot);
  }

  private long read(final int register) {
    return bus.read(PhysicalLayout.HOTPLUG_BASE + register, 4);
  }

  private void write(final int register, final int value) {
    bus.write(PhysicalLayout.HOTPLUG_BASE + register, 4, value & 0xffff_ffffL);
  }
}
