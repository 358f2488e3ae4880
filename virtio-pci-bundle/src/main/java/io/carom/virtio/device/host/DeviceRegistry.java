package io.carom.virtio.device.host;

import io.carom.virtio.device.transport.VirtioPciFunction;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/**
 * The devices of this bundle and the configurations that failed, by name: where the components that
 * make devices and the service that manages them meet. A service for this bundle only. Thread-safe.
 */
@Component(service = DeviceRegistry.class)
public final class DeviceRegistry {
  private final SortedMap<String, Device> devices = new TreeMap<>();
  private final SortedMap<String, LongConsumer> disks = new TreeMap<>();
  private final SortedMap<String, String> failures = new TreeMap<>();
  private final SortedMap<String, ConfiguredDevice<?>> live = new TreeMap<>();

  /** An empty registry. */
  public DeviceRegistry() {}

  /**
   * A device.
   *
   * @param name its name
   * @param pid the PID of its configuration, or what stands for it where a service brought it
   * @param function its function, or null while it is being made
   */
  public record Device(String name, String pid, @Nullable VirtioPciFunction function) {}

  /**
   * Reserves a name.
   *
   * @throws IllegalArgumentException when another configuration has it
   */
  public synchronized void claim(final String name, final String pid) {
    final Device other = devices.get(name);
    if (other != null) {
      throw new IllegalArgumentException(
          "name=" + name + " is taken by the device of " + other.pid() + ": choose another name");
    }
    devices.put(name, new Device(name, pid, null));
  }

  /** The device was made and registered. */
  public synchronized void made(
      final String name, final String pid, final VirtioPciFunction function) {
    devices.put(name, new Device(name, pid, function));
    failures.remove(pid);
  }

  /** The device is a disk whose capacity this changes: bytes, checked there. */
  public synchronized void disk(final String name, final LongConsumer resize) {
    disks.put(name, resize);
  }

  /** What changes the capacity of a disk; empty for a device that is none. */
  public synchronized Optional<LongConsumer> disk(final String name) {
    return Optional.ofNullable(disks.get(name)).filter(disk -> devices.containsKey(name));
  }

  /** The configuration made no device. Its name, if it had claimed one, is free again. */
  public synchronized void failed(final String pid, final String reason) {
    forget(pid);
    failures.put(pid, reason);
  }

  /** The configuration is gone, and its device with it. */
  public synchronized void gone(final String pid) {
    forget(pid);
    failures.remove(pid);
  }

  private void forget(final String pid) {
    devices.values().removeIf(device -> device.pid().equals(pid));
    live.remove(pid);
    disks.keySet().retainAll(devices.keySet());
  }

  /** The device of a configuration can be taken out. */
  synchronized void live(final String pid, final ConfiguredDevice<?> device) {
    live.put(pid, device);
  }

  /** The bundle stops: all devices begin to go, and are waited for by those who made them. */
  void stopping() {
    final List<ConfiguredDevice<?>> all;
    synchronized (this) {
      all = List.copyOf(live.values());
    }
    all.forEach(device -> device.begin(false));
  }

  /** The devices that were made, by name. */
  public synchronized List<Device> devices() {
    return devices.values().stream().filter(device -> device.function() != null).toList();
  }

  /** A device that was made. */
  public synchronized Optional<Device> device(final String name) {
    return Optional.ofNullable(devices.get(name)).filter(device -> device.function() != null);
  }

  /** Whether a name is taken, be it by a device that is being made. */
  public synchronized boolean taken(final String name) {
    return devices.containsKey(name);
  }

  /** Why a configuration made no device. */
  public synchronized Optional<String> failure(final String pid) {
    return Optional.ofNullable(failures.get(pid));
  }
}
