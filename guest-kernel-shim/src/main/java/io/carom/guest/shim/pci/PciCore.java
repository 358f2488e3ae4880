package io.carom.guest.shim.pci;

import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.irq.IrqController;
import io.carom.guest.shim.kernel.Dmesg;
import io.carom.memory.SystemBus;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.PciAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * PCI in the guest: finds functions on bus 0, gives them addresses, binds drivers, and follows
 * hotplug. Everything but {@link #infos} is called on the work thread.
 */
public final class PciCore {
  private static final int SLOTS = 32;
  private static final int FUNCTIONS = 8;
  private static final int MULTIFUNCTION = 0x80;
  private static final int HOTPLUG_ROUNDS = 16;

  private final SystemBus bus;
  private final Dmesg dmesg;
  private final BarAssigner bars;
  private final HotplugRegisters hotplug;
  private final Map<PciAddress, PciDevice> devices = new ConcurrentSkipListMap<>();
  private volatile @Nullable PciDevice leaving;
  private List<PciDriver> drivers = List.of();
  private int notificationVector;

  /** PCI behind a bus. */
  public PciCore(final SystemBus bus, final Dmesg dmesg) {
    this.bus = bus;
    this.dmesg = dmesg;
    this.bars = new BarAssigner(dmesg);
    this.hotplug = new HotplugRegisters(bus);
  }

  /** Whether a host bridge answers. */
  public boolean bridgePresent() {
    return hotplug.present();
  }

  /** Whether the bridge still knows this guest; false after it was started anew. */
  public boolean bridgeProgrammed() {
    return hotplug.programmed(IrqController.MESSAGE_ADDRESS, notificationVector);
  }

  /**
   * Enumerates bus 0 and asks for hotplug notifications on a vector. What was known and is not
   * there any more, or was replaced, is dropped.
   */
  public void scan(final int vector) {
    notificationVector = vector;
    // first the notification, then the scan: what is plugged in between is found by one of them
    hotplug.notification(IrqController.MESSAGE_ADDRESS, vector);
    final List<PciDevice> stale = new ArrayList<>();
    for (final PciDevice device : devices.values()) {
      if (!intact(device)) {
        stale.add(device);
      }
    }
    dropAll(stale, true);
    bindAll(eachSlot(-1, this::scanSlot));
  }

  /** Stops asking for notifications. */
  public void silence() {
    hotplug.notification(0, 0);
  }

  /** Makes drivers available and offers them every function that has none. */
  public void drivers(final List<PciDriver> available) {
    drivers = List.copyOf(available);
    bindAll(devices.values());
  }

  /** Takes all drivers away; functions stay enumerated. */
  public void unbindAll() {
    final List<PciDevice> last = new ArrayList<>();
    for (final PciDevice device : devices.values()) {
      if (early(device)) {
        last.add(device);
      } else {
        unbind(device, false);
      }
    }
    last.forEach(device -> unbind(device, false));
    drivers = List.of();
  }

  /** What is being let go by its driver now, in words for people, or null. Any thread. */
  public @Nullable String leaving() {
    final PciDevice device = leaving;
    final PciDriver.@Nullable Binding binding = device == null ? null : device.leavingBinding();
    return device == null || binding == null
        ? null
        : device.name() + ", " + binding.liveMappings() + " mappings live";
  }

  /** Removes a function's driver and probes it again; false when there is no such function. */
  public boolean rebind(final PciAddress address) {
    final PciDevice device = devices.get(address);
    if (device == null) {
      return false;
    }
    unbind(device, false);
    bind(device);
    return true;
  }

  /**
   * Suspends a function, or has it go on; false when there is no such function.
   *
   * @throws IllegalStateException with one line, when it cannot
   */
  public boolean suspend(final PciAddress address, final boolean rest) {
    final PciDevice device = devices.get(address);
    if (device == null) {
      return false;
    }
    final PciDriver.@Nullable Binding binding = device.binding();
    if (binding == null) {
      throw new IllegalStateException(device.name() + " has no driver");
    }
    if (rest) {
      binding.suspend();
    } else {
      binding.resume();
    }
    return true;
  }

  private Optional<PciDevice> device(final PciAddress address) {
    return Optional.ofNullable(devices.get(address));
  }

  /** Follows the hotplug registers until they are quiet. */
  public void hotplugEvent() {
    // bounded: registers that never clear must not hold the work thread
    for (int round = 0; round < HOTPLUG_ROUNDS; round++) {
      // a slot may be gone and plugged anew at once: the old function goes first
      final int gone = hotplug.take(HotplugDescriptor.GONE);
      dropAll(eachSlot(gone, this::inSlot), true);
      final int down = hotplug.take(HotplugDescriptor.DOWN);
      dropAll(eachSlot(down, this::inSlot), false);
      eject(down);
      final int up = hotplug.take(HotplugDescriptor.UP);
      bindAll(eachSlot(up, this::plugged));
      if ((gone | down | up) == 0) {
        return;
      }
    }
  }

  /** The functions, by address. Any thread. */
  public List<PciDeviceInfo> infos() {
    return devices.values().stream().map(PciDevice::info).toList();
  }

  /**
   * The number of the plugging of the function at an address, -1 when there is none. Any thread.
   */
  public long plugging(final PciAddress address) {
    final PciDevice device = devices.get(address);
    return device == null ? -1 : device.plugging();
  }

  private List<PciDevice> plugged(final int slot) {
    for (final PciDevice device : inSlot(slot)) {
      if (!intact(device)) {
        drop(device, true);
      }
    }
    return scanSlot(slot);
  }

  private void eject(final int slots) {
    for (int slot = 0; slot < SLOTS; slot++) {
      if ((slots >>> slot & 1) != 0) {
        hotplug.eject(slot);
      }
    }
  }

  /** Binds functions that were found together: those that others stand behind come first. */
  private void bindAll(final Collection<PciDevice> found) {
    found.stream().filter(this::early).forEach(this::bind);
    found.forEach(this::bind);
  }

  /** Drops functions that go together, in the reverse order. */
  private void dropAll(final List<PciDevice> going, final boolean gone) {
    final List<PciDevice> last = going.stream().filter(this::early).toList();
    going.stream().filter(device -> !last.contains(device)).forEach(device -> drop(device, gone));
    last.forEach(device -> drop(device, gone));
  }

  private boolean early(final PciDevice device) {
    return drivers.stream().anyMatch(driver -> driver.early(device.vendorId(), device.deviceId()));
  }

  private void drop(final PciDevice device, final boolean gone) {
    unbind(device, gone);
    devices.remove(device.address());
    bars.release(device.bars());
    dmesg.log("pci " + device.name() + (gone ? ": gone" : ": removed"));
  }

  /** Enumerates a slot's functions and returns those that are new. */
  private List<PciDevice> scanSlot(final int slot) {
    final PciAddress first = new PciAddress(0, slot, 0);
    final ConfigSpace config = new ConfigSpace(bus, first);
    final List<PciDevice> found = new ArrayList<>();
    if (!config.present()) {
      return found;
    }
    final int header = config.read8(ConfigSpaceDescriptor.HEADER_TYPE);
    final int functions = (header & MULTIFUNCTION) != 0 ? FUNCTIONS : 1;
    for (int function = 0; function < functions; function++) {
      scanFunction(new PciAddress(0, slot, function), found);
    }
    return found;
  }

  private void scanFunction(final PciAddress address, final List<PciDevice> found) {
    if (devices.containsKey(address) || !new ConfigSpace(bus, address).present()) {
      return;
    }
    final PciDevice device = new PciDevice(bus, address, this::device);
    final ConfigSpace config = device.config();
    final int type = config.read8(ConfigSpaceDescriptor.HEADER_TYPE) & ~MULTIFUNCTION;
    final int classCode = config.read32(ConfigSpaceDescriptor.REVISION) >>> 8;
    dmesg.log(
        "pci %s: [%04x:%04x] type %02x class 0x%06x"
            .formatted(device.name(), device.vendorId(), device.deviceId(), type, classCode));
    if (type != 0) {
      return; // bridges have another header; there is one bus
    }
    // Decoding and bus mastering off: BARs are sized, and whatever a former kernel left the
    // function doing ends here.
    config.command(
        0, ConfigSpaceDescriptor.COMMAND_MEMORY | ConfigSpaceDescriptor.COMMAND_BUS_MASTER);
    device.bars(bars.assign(config, device.name()));
    devices.put(address, device);
    found.add(device);
  }

  private void bind(final PciDevice device) {
    if (device.binding() != null) {
      return;
    }
    for (final PciDriver driver : drivers) {
      if (driver.matches(device.vendorId(), device.deviceId())) {
        bind(device, driver);
        return;
      }
    }
  }

  private void bind(final PciDevice device, final PciDriver driver) {
    device.config().command(ConfigSpaceDescriptor.COMMAND_MEMORY, 0);
    @Nullable String failure = null;
    try {
      device.bound(driver.name(), driver.probe(device));
    } catch (final ProbeException e) {
      failure = e.getMessage();
    } catch (final RuntimeException e) {
      failure = e.toString(); // one bad device must not keep the kernel from the others
    }
    if (failure != null) {
      dmesg.log(driver.name() + " " + device.name() + ": probe failed: " + failure);
      quiet(device);
    }
  }

  private void unbind(final PciDevice device, final boolean gone) {
    final PciDriver.@Nullable Binding binding = device.binding();
    if (binding == null) {
      return;
    }
    device.leaves(binding);
    leaving = device;
    try {
      binding.remove(gone);
    } catch (final RuntimeException e) {
      dmesg.log("pci " + device.name() + ": driver removal failed: " + e);
    } finally {
      leaving = null;
      device.leaves(null);
    }
    device.irq(0);
    if (!gone) {
      quiet(device);
    }
  }

  private static void quiet(final PciDevice device) {
    device
        .config()
        .command(
            0,
            ConfigSpaceDescriptor.COMMAND_MEMORY
                | ConfigSpaceDescriptor.COMMAND_BUS_MASTER
                | ConfigSpaceDescriptor.COMMAND_INTX_DISABLE);
  }

  private static boolean intact(final PciDevice device) {
    return device.config().read16(ConfigSpaceDescriptor.VENDOR_ID) == device.vendorId()
        && device.config().read16(ConfigSpaceDescriptor.DEVICE_ID) == device.deviceId()
        && BarAssigner.intact(device.config(), device.bars());
  }

  private List<PciDevice> inSlot(final int slot) {
    return devices.values().stream().filter(d -> d.address().device() == slot).toList();
  }

  private static List<PciDevice> eachSlot(
      final int slots, final IntFunction<List<PciDevice>> action) {
    final List<PciDevice> all = new ArrayList<>();
    for (int slot = 0; slot < SLOTS; slot++) {
      if ((slots >>> slot & 1) != 0) {
        all.addAll(action.apply(slot));
      }
    }
    return all;
  }
}
