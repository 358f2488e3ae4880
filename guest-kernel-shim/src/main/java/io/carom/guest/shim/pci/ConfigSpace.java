package io.carom.guest.shim.pci;

import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.PciAddress;

/**
 * Config space of one function, reached through the ECAM window (PCIe base specification, section
 * 7.2.2). Where no function is, reads give all ones and writes are dropped.
 */
public final class ConfigSpace {
  /** What a 16-bit read of the vendor id gives where no function is. */
  public static final int ABSENT = 0xffff;

  private final SystemBus bus;
  private final long base;

  /** Config space of the function at an address. */
  public ConfigSpace(final SystemBus bus, final PciAddress address) {
    this.bus = bus;
    this.base = PhysicalLayout.ECAM_BASE + address.ecamOffset();
  }

  /** Reads a byte. */
  public int read8(final int offset) {
    return (int) bus.read(base + offset, 1) & 0xff;
  }

  /** Reads 16 bits. */
  public int read16(final int offset) {
    return (int) bus.read(base + offset, 2) & 0xffff;
  }

  /** Reads 32 bits. */
  public int read32(final int offset) {
    return (int) bus.read(base + offset, 4);
  }

  /** Writes 16 bits. */
  public void write16(final int offset, final int value) {
    bus.write(base + offset, 2, value & 0xffff);
  }

  /** Writes 32 bits. */
  public void write32(final int offset, final int value) {
    bus.write(base + offset, 4, value & 0xffff_ffffL);
  }

  /** Whether a function answers. */
  public boolean present() {
    return read16(ConfigSpaceDescriptor.VENDOR_ID) != ABSENT;
  }

  /** Changes bits of the command register; those in both masks are set. */
  public void command(final int set, final int clear) {
    final int old = read16(ConfigSpaceDescriptor.COMMAND);
    write16(ConfigSpaceDescriptor.COMMAND, (old & ~clear) | set);
  }

  /** The 256 bytes as read now. */
  public byte[] snapshot() {
    final byte[] bytes = new byte[ConfigSpaceDescriptor.SIZE];
    for (int offset = 0; offset < bytes.length; offset += 4) {
      final int word = read32(offset);
      for (int i = 0; i < 4; i++) {
        bytes[offset + i] = (byte) (word >>> (8 * i));
      }
    }
    return bytes;
  }
}
