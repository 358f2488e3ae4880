package io.carom.virtio.device.host;

import io.carom.virtio.NetHost;
import io.carom.virtio.NetPortInfo;
import io.carom.virtio.device.net.MacAddress;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetSwitch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;

/**
 * The network devices of this bundle, their segments, and what two of them must not share. A
 * segment is there as long as a device is on it. Thread-safe.
 */
@Component(service = {NetRegistry.class, NetHost.class})
public final class NetRegistry implements NetHost {
  private final SortedMap<String, Port> ports = new TreeMap<>();

  /** An empty registry. */
  public NetRegistry() {}

  private record Port(
      NetSwitch segment, long mac, @Nullable Path capture, @Nullable NetDevice device) {}

  /**
   * Reserves a place on a segment, which is made if need be.
   *
   * @return the segment
   * @throws IllegalArgumentException when another device there has the address, or one anywhere the
   *     capture file
   */
  synchronized NetSwitch claim(
      final String name, final String segment, final long mac, final @Nullable Path capture) {
    NetSwitch found = null;
    for (final Map.Entry<String, Port> other : ports.entrySet()) {
      final Port port = other.getValue();
      if (capture != null && capture.equals(port.capture())) {
        throw new IllegalArgumentException(
            "capture="
                + capture
                + " is written by device "
                + other.getKey()
                + ": give each device a file of its own");
      }
      if (port.segment().name().equals(segment)) {
        if (port.mac() == mac) {
          throw new IllegalArgumentException(
              "mac="
                  + MacAddress.text(mac)
                  + " is that of device "
                  + other.getKey()
                  + " on segment="
                  + segment
                  + ": give each device of a segment another mac");
        }
        found = port.segment();
      }
    }
    final NetSwitch place = found == null ? new NetSwitch(segment) : found;
    ports.put(name, new Port(place, mac, capture, null));
    return place;
  }

  /** The device was made. */
  synchronized void made(final String name, final NetDevice device) {
    final Port port = Objects.requireNonNull(ports.get(name));
    ports.put(name, new Port(port.segment(), port.mac(), port.capture(), device));
  }

  /** The device is gone, or was not made. */
  synchronized void gone(final String name) {
    ports.remove(name);
  }

  @Override
  public synchronized List<NetPortInfo> ports() {
    return ports.values().stream()
        .map(Port::device)
        .filter(Objects::nonNull)
        .map(NetDevice::info)
        .toList();
  }

  @Override
  public NetPortInfo link(final String name, final boolean up) {
    final NetDevice device = device(name);
    device.linkUp(up); // interrupts the guest: not under the lock
    return device.info();
  }

  private synchronized NetDevice device(final String name) {
    final Port port = ports.get(name);
    final NetDevice device = port == null ? null : port.device();
    if (device == null) {
      throw new IllegalArgumentException(
          "there is no network device '"
              + name
              + "': "
              + (ports.isEmpty()
                  ? "there are none; add one with device:add net"
                  : "there are " + String.join(", ", ports.keySet())));
    }
    return device;
  }
}
