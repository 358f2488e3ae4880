package io.carom.guest.shim.fake;

import io.carom.memory.PhysicalLayout;
import io.carom.memory.SystemBus;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.PciAddress;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;

/** Config space, BARs and hotplug registers behind one bus. */
public final class FakeBus implements SystemBus {
  private final FakeMsi msi;
  private final Map<PciAddress, FakeFunction> functions = new ConcurrentSkipListMap<>();
  private final int[] hotplug = new int[7];

  /** Slots that the guest let go. */
  public volatile int ejected;

  /** Stores to device registers: doorbells, once a device works. Each allocates a little here. */
  public final AtomicLong registerWrites = new AtomicLong();

  /** Whether the host bridge answers. */
  public volatile boolean present = true;

  public FakeBus(final FakeMsi msi) {
    this.msi = msi;
  }

  /** Puts a function in without telling anybody: cold plug. */
  public <F extends FakeFunction> F add(final String address, final F function) {
    functions.put(PciAddress.parse(address), function);
    return function;
  }

  /** Puts a function in and notifies the guest. */
  public <F extends FakeFunction> F plug(final String address, final F function) {
    add(address, function);
    signal(HotplugDescriptor.UP, PciAddress.parse(address).device());
    return function;
  }

  /** Takes a function out and notifies the guest afterwards. */
  public void surpriseRemove(final String address) {
    functions.remove(PciAddress.parse(address));
    signal(HotplugDescriptor.GONE, PciAddress.parse(address).device());
  }

  /** Asks the guest to let a slot go. */
  public void askBack(final String address) {
    signal(HotplugDescriptor.DOWN, PciAddress.parse(address).device());
  }

  /** Forgets the guest, as a bridge that is started anew. */
  public synchronized void restartBridge() {
    Arrays.fill(hotplug, 0);
  }

  private void signal(final int register, final int slot) {
    final long address;
    final int data;
    synchronized (this) {
      hotplug[register / 4] |= 1 << slot;
      address =
          (hotplug[HotplugDescriptor.ADDRESS_LOW / 4] & 0xffff_ffffL)
              | ((long) hotplug[HotplugDescriptor.ADDRESS_HIGH / 4] << 32);
      data = hotplug[HotplugDescriptor.DATA / 4];
    }
    if (address != 0) {
      msi.message(address, data);
    }
  }

  @Override
  public long read(final long address, final int width) {
    check(address, width);
    final long ones = width == 8 ? -1L : (1L << (8 * width)) - 1;
    if (inEcam(address)) {
      final FakeFunction function = functions.get(function(address));
      return function == null || !present
          ? ones
          : function.get((int) (address & 0xfff) & 0xff, width);
    }
    if (inHotplug(address)) {
      synchronized (this) {
        return present ? hotplug[(int) (address & 0xfff) / 4] & 0xffff_ffffL : ones;
      }
    }
    for (final FakeFunction function : functions.values()) {
      final Optional<Integer> bar = function.decodes(address);
      if (bar.isPresent()) {
        return function.busRead(bar.get(), address - function.base(bar.get()), width) & ones;
      }
    }
    return ones;
  }

  @Override
  public void write(final long address, final int width, final long value) {
    check(address, width);
    if (inEcam(address)) {
      final FakeFunction function = functions.get(function(address));
      if (function != null && present) {
        function.configWrite((int) (address & 0xfff) & 0xff, width, value);
      }
      return;
    }
    if (inHotplug(address)) {
      hotplugWrite((int) (address & 0xfff), (int) value);
      return;
    }
    registerWrites.incrementAndGet();
    for (final FakeFunction function : functions.values()) {
      final Optional<Integer> bar = function.decodes(address);
      if (bar.isPresent()) {
        function.busWrite(bar.get(), address - function.base(bar.get()), width, value);
        return;
      }
    }
  }

  private synchronized void hotplugWrite(final int register, final int value) {
    if (register == HotplugDescriptor.EJECT) {
      ejected |= value;
      functions.keySet().removeIf(at -> (value >>> at.device() & 1) != 0);
    } else if (register < HotplugDescriptor.ADDRESS_LOW) {
      hotplug[register / 4] &= ~value;
    } else {
      hotplug[register / 4] = value;
    }
  }

  @Override
  public Optional<MemorySegment> map(final long address, final long length) {
    for (final FakeFunction function : functions.values()) {
      final Optional<Integer> bar = function.decodes(address);
      if (bar.isPresent()) {
        final MemorySegment memory = function.memory(bar.get());
        final long offset = address - function.base(bar.get());
        return memory == null ? Optional.empty() : Optional.of(memory.asSlice(offset, length));
      }
    }
    return Optional.empty();
  }

  private static void check(final long address, final int width) {
    if ((width != 1 && width != 2 && width != 4 && width != 8) || (address & (width - 1)) != 0) {
      throw new IllegalArgumentException(
          "access of " + width + " at 0x" + Long.toHexString(address));
    }
  }

  private static boolean inEcam(final long address) {
    return address >= PhysicalLayout.ECAM_BASE
        && address < PhysicalLayout.ECAM_BASE + PhysicalLayout.ECAM_SIZE;
  }

  private static boolean inHotplug(final long address) {
    return address >= PhysicalLayout.HOTPLUG_BASE
        && address < PhysicalLayout.HOTPLUG_BASE + PhysicalLayout.HOTPLUG_SIZE;
  }

  private static PciAddress function(final long address) {
    final int devfn = (int) ((address - PhysicalLayout.ECAM_BASE) >>> 12);
    return new PciAddress(0, devfn >>> 3, devfn & 7);
  }
}
