package io.carom.pcibus;

import io.carom.memory.MmioHandler;
import io.carom.memory.MmioRetry;
import io.carom.memory.PhysicalLayout;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.HotplugState;
import io.carom.pci.MsiController;
import io.carom.pci.SlotKeeper;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The host bridge's hotplug registers. The monitor guards them; it is not held while a slot is
 * ejected or the guest is notified.
 */
final class HotplugRegisters implements MmioHandler {
  private final MsiController interrupts;
  private final IntConsumer eject;
  private final @Nullable SlotKeeper keeper;
  private int up;
  private int down;
  private int gone;
  private int addressLow;
  private int addressHigh;
  private int data;
  private boolean suspended;

  /**
   * Registers with no bit set, or as they were kept.
   *
   * @param eject called for each slot that the guest lets go, on its thread
   * @param keeper where each change is kept, or null
   */
  HotplugRegisters(
      final MsiController interrupts, final IntConsumer eject, final @Nullable SlotKeeper keeper) {
    this.interrupts = interrupts;
    this.eject = eject;
    this.keeper = keeper;
    if (keeper != null) {
      final HotplugState kept = keeper.hotplug();
      up = kept.up();
      down = kept.down();
      gone = kept.gone();
      addressLow = kept.addressLow();
      addressHigh = kept.addressHigh();
      data = kept.data();
    }
  }

  /** The bus goes: the next one answers from now on. Its window is parked before. */
  synchronized void suspend() {
    suspended = true;
  }

  /** A slot was plugged. */
  void up(final int slot) {
    synchronized (this) {
      up |= 1 << slot;
      keep();
    }
    notifyGuest();
  }

  /** The host wants a slot back. */
  void down(final int slot) {
    synchronized (this) {
      down |= 1 << slot;
      keep();
    }
    notifyGuest();
  }

  /** The host wants a slot back no more, or has it. */
  synchronized void settled(final int slot) {
    down &= ~(1 << slot);
    keep();
  }

  /** A slot was removed by surprise: that it came, or was wanted, is no news any more. */
  void gone(final int slot) {
    synchronized (this) {
      gone |= 1 << slot;
      up &= ~(1 << slot);
      down &= ~(1 << slot);
      keep();
    }
    notifyGuest();
  }

  private void keep() {
    if (keeper != null) {
      keeper.keep(new HotplugState(up, down, gone, addressLow, addressHigh, data));
    }
  }

  private void retryIfSuspended() {
    if (suspended) {
      throw MmioRetry.INSTANCE;
    }
  }

  @Override
  public synchronized long read(final long offset, final int width) {
    retryIfSuspended();
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
      retryIfSuspended();
      switch (register) {
        case HotplugDescriptor.UP -> up &= ~bits;
        case HotplugDescriptor.DOWN -> down &= ~bits;
        case HotplugDescriptor.GONE -> gone &= ~bits;
        case HotplugDescriptor.ADDRESS_LOW -> addressLow = (addressLow & ~mask) | bits;
        case HotplugDescriptor.ADDRESS_HIGH -> addressHigh = (addressHigh & ~mask) | bits;
        case HotplugDescriptor.DATA -> data = (data & ~mask) | bits;
        default -> {} // EJECT below; any other is reserved
      }
      keep();
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
