package io.carom.pcibus;

import io.carom.memory.MmioHandler;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.MsiController;
import java.util.function.IntConsumer;

/**
 * The host bridge's hotplug registers. The monitor guards them; it is not held while a slot is
 * ejected or the guest is notified.
 */
final class HotplugRegisters implements MmioHandler {
  private final MsiController interrupts;
  private final IntConsumer eject;
  private int up;
  private int down;
  private int gone;
  private int addressLow;
  private int addressHigh;
  private int data;

  /**
   * Registers with no bit set.
   *
   * @param eject called for each slot that the guest lets go, on its thread
   */
  HotplugRegisters(final MsiController interrupts, final IntConsumer eject) {
    this.interrupts = interrupts;
    this.eject = eject;
  }

  /** A slot was plugged. */
  void up(final int slot) {
    synchronized (this) {
      up |= 1 << slot;
    }
    notifyGuest();
  }

  /** The host wants a slot back. */
  void down(final int slot) {
    synchronized (this) {
      down |= 1 << slot;
    }
    notifyGuest();
  }

  /** The host wants a slot back no more, or has it. */
  synchronized void settled(final int slot) {
    down &= ~(1 << slot);
  }

  /** A slot was removed by surprise: that it came, or was wanted, is no news any more. */
  void gone(final int slot) {
    synchronized (this) {
      gone |= 1 << slot;
      up &= ~(1 << slot);
      down &= ~(1 << slot);
    }
    notifyGuest();
  }

  @Override
  public synchronized long read(final long offset, final int width) {
    final int dword = (int) offset & ~3;
    if (width == 8) {
      return register(dword) | register(dword + 4) << 32;
    }
    return register(dword) >>> (8 * (offset & 3));
  }

  @Override
  public void write(final long offset, final int width, final long value) {
    if (width == 8) {
      write(offset, 4, value & 0xffff_ffffL);
      write(offset + 4, 4, value >>> 32);
      return;
    }
    final int shift = 8 * ((int) offset & 3);
    final int mask = (int) (-1L >>> (64 - 8 * width)) << shift;
    store((int) offset & ~3, mask, ((int) value << shift) & mask);
  }

  private void store(final int register, final int mask, final int bits) {
    synchronized (this) {
      switch (register) {
        case HotplugDescriptor.UP -> up &= ~bits;
        case HotplugDescriptor.DOWN -> down &= ~bits;
        case HotplugDescriptor.GONE -> gone &= ~bits;
        case HotplugDescriptor.ADDRESS_LOW -> addressLow = (addressLow & ~mask) | bits;
        case HotplugDescriptor.ADDRESS_HIGH -> addressHigh = (addressHigh & ~mask) | bits;
        case HotplugDescriptor.DATA -> data = (data & ~mask) | bits;
        default -> {} // EJECT below; any other is reserved
      }
    }
    if (register == HotplugDescriptor.EJECT) {
      for (int slot = 0; slot < Integer.SIZE; slot++) {
        if ((bits >>> slot & 1) != 0) {
          eject.accept(slot);
        }
      }
    }
  }

  private long register(final int offset) {
    return Integer.toUnsignedLong(
        switch (offset) {
          case HotplugDescriptor.UP -> up;
          case HotplugDescriptor.DOWN -> down;
          case HotplugDescriptor.GONE -> gone;
          case HotplugDescriptor.ADDRESS_LOW -> addressLow;
          case HotplugDescriptor.ADDRESS_HIGH -> addressHigh;
          case HotplugDescriptor.DATA -> data;
          default -> 0;
        });
  }

  private void notifyGuest() {
    final long address;
    final int message;
    synchronized (this) {
      address = Integer.toUnsignedLong(addressLow) | (long) addressHigh << 32;
      message = data;
    }
    if (PhysicalLayout.isMessage(address)) { // 0 until the guest wants to be told
      interrupts.message(address, message);
    }
  }
}
