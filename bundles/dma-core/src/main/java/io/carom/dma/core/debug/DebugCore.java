package io.carom.dma.core.debug;

import io.carom.dma.DebugMapping;
import io.carom.dma.DebugReport;
import io.carom.dma.DebugState;
import io.carom.dma.DmaDebug;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.map.CoreTables;
import io.carom.pci.BusPorts;
import io.carom.pci.PciAddress;
import io.carom.pci.PortWatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * dma-debug: for which devices it is on, and what it found.
 *
 * <p>The monitor guards what is on; it is held while a port's watch is exchanged, which waits for
 * sections of that port. Drivers and device threads never take it: they meet in the {@link
 * EntryTable}.
 */
public final class DebugCore implements DmaDebug {
  private final CoreTables tables;
  private final EntryTable table;
  private final Reporter reporter = new Reporter();
  private final List<DeviceDma> devices = new CopyOnWriteArrayList<>();
  private final Map<DeviceDma, DeviceDebug> on = new HashMap<>();
  private final Map<String, Boolean> chosen = new HashMap<>(); // by device name
  private DebugSettings settings = DebugSettings.OFF;
  private @Nullable Boolean chosenForAll;
  private @Nullable BusPorts ports;

  /** Off for every device. */
  public DebugCore(final CoreTables tables) {
    this(tables, EntryPool.MOST);
  }

  /**
   * For tests of what happens without memory.
   *
   * @param mostEntries how many entries there is memory for
   */
  DebugCore(final CoreTables tables, final int mostEntries) {
    this.tables = tables;
    table = new EntryTable(mostEntries);
  }

  /** The configuration changed: it counts, whatever was chosen before. */
  public synchronized void settings(final DebugSettings changed) {
    settings = changed;
    chosenForAll = null;
    chosen.clear();
    reporter.filter(changed.driver());
    table.lock.lock();
    try {
      table.pool.preallocate(changed.entries());
    } finally {
      table.lock.unlock();
    }
    reconcile();
  }

  /** The machine's ports are there, or for null not any more. */
  public synchronized void ports(final @Nullable BusPorts found) {
    ports = found;
    on.values().forEach(this::watch);
  }

  /** A device was attached; before its driver gets it. */
  public synchronized void attached(final DeviceDma device) {
    devices.add(device);
    reconcile();
  }

  /** A driver lets go of its device: what it left behind is a leak. */
  public synchronized void closed(final DeviceDma device) {
    final DeviceDebug debug = on.get(device);
    if (debug != null) {
      debug.released();
      turnOff(device, debug);
    }
    devices.remove(device);
  }

  @Override
  public synchronized void enable(final @Nullable String device, final boolean wanted) {
    if (wanted && table.dead()) {
      throw new IllegalStateException(
          "dma-debug ran out of memory and is off until the core restarts; it needs an entry for"
              + " each live mapping");
    }
    if (device == null) {
      chosen.clear();
      chosenForAll = wanted;
    } else {
      chosen.put(find(device).name(), wanted);
    }
    reconcile();
  }

  private DeviceDma find(final String name) {
    final List<String> names = new ArrayList<>();
    for (final DeviceDma device : devices) {
      if (DebugSettings.matches(device.name(), name)) {
        return device;
      }
      names.add(device.name());
    }
    throw new IllegalArgumentException(
        "unknown device '" + name + "'; valid: " + String.join(", ", names));
  }

  private boolean wanted(final DeviceDma device) {
    final Boolean own = chosen.getOrDefault(device.name(), chosenForAll);
    return own == null ? settings.wants(device.name()) : own;
  }

  private void reconcile() {
    for (final DeviceDma device : devices) {
      final DeviceDebug debug = on.get(device);
      if (wanted(device) && debug == null && !table.dead()) {
        turnOn(device);
      } else if (!wanted(device) && debug != null) {
        turnOff(device, debug);
      }
    }
  }

  private void turnOn(final DeviceDma device) {
    table.lock.lock();
    try {
      table.pool.prepare();
    } finally {
      table.lock.unlock();
    }
    final DeviceDebug debug = new DeviceDebug(device, tables, table, reporter, this::mappedApart);
    on.put(device, debug);
    device.debug(debug);
    watch(debug);
  }

  private void turnOff(final DeviceDma device, final DeviceDebug debug) {
    debug.stop();
    device.debug(null);
    debug.forget();
    exchange(debug, null);
    debug.watched(false);
    debug.watch().forget();
    on.remove(device);
  }

  private void watch(final DeviceDebug debug) {
    debug.watched(exchange(debug, debug.watch()));
    if (!debug.watched()) {
      debug.watch().forget();
    }
  }

  private boolean exchange(final DeviceDebug debug, final @Nullable PortWatch watch) {
    final BusPorts known = ports;
    return known != null
        && (known.watch(debug.name(), watch) || known.watch(shortName(debug.name()), watch));
  }

  /** Ports are named without the PCI domain. */
  private static String shortName(final String device) {
    try {
      return PciAddress.parse(device).toString();
    } catch (final IllegalArgumentException e) {
      return device; // not a PCI function
    }
  }

  /** Whether an address is in a device's region, or in coherent memory. */
  private boolean mappedApart(final long address) {
    for (final DeviceDma device : devices) {
      final DmaDeviceSpec.Region region = device.spec().region();
      if (region != null
          && Long.compareUnsigned(address - region.busAddress(), region.memory().byteSize()) < 0) {
        return true;
      }
      if (device.coherent().covers(tables.memory().platform().busAddress(address, 1, true), 1)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized DebugState state() {
    final List<DebugState.Device> rows = new ArrayList<>();
    table.lock.lock();
    try {
      for (final DeviceDma device : devices) {
        final DeviceDebug debug = on.get(device);
        rows.add(
            new DebugState.Device(
                device.name(),
                device.driver(),
                debug != null && !table.dead(),
                debug != null && debug.watched(),
                debug == null ? 0 : debug.index().count(),
                debug == null ? 0 : debug.errors()));
      }
      rows.sort(Comparator.comparing(DebugState.Device::device));
      return new DebugState(
          table.dead() || on.isEmpty(),
          reporter.errorCount(),
          reporter.allErrors() ? 1 : 0,
          reporter.numErrors(),
          table.pool.free(),
          table.pool.leastFree(),
          table.pool.total(),
          reporter.filter(),
          rows);
    } finally {
      table.lock.unlock();
    }
  }

  @Override
  public synchronized List<DebugMapping> dump(final @Nullable String device) {
    final String only = device == null ? null : find(device).name();
    final List<DeviceDebug> shown = new ArrayList<>(on.values());
    shown.removeIf(debug -> only != null && !only.equals(debug.name()));
    shown.sort(Comparator.comparing(DeviceDebug::name));
    final List<DebugMapping> result = new ArrayList<>();
    table.lock.lock();
    try {
      for (final DeviceDebug debug : shown) {
        for (final DebugEntry entry : debug.index().all()) {
          result.add(Texts.mapping(debug.driver(), debug.name(), entry));
        }
      }
    } finally {
      table.lock.unlock();
    }
    return result;
  }

  @Override
  public List<DebugReport> errors() {
    return reporter.kept();
  }

  @Override
  public void driverFilter(final @Nullable String name) {
    reporter.filter(name == null ? "" : name.strip());
  }

  @Override
  public void allErrors(final boolean wanted) {
    reporter.allErrors(wanted);
  }

  @Override
  public void numErrors(final long count) {
    if (count < 0) {
      throw new IllegalArgumentException("num_errors must not be negative, but is " + count);
    }
    reporter.numErrors(count);
  }
}
