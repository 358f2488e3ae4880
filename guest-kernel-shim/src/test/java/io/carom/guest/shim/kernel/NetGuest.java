package io.carom.guest.shim.kernel;

import io.carom.guest.Network;
import io.carom.guest.NetworkInterface;
import io.carom.guest.shim.fake.HostedFunction;
import io.carom.virtio.RingOptions;
import io.carom.virtio.device.net.MacAddress;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetOptions;
import io.carom.virtio.device.net.NetSwitch;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.util.ArrayList;
import java.util.List;

/** A guest with real network devices on one segment. */
final class NetGuest implements AutoCloseable {
  final TestGuest test = new TestGuest();
  final NetSwitch segment = new NetSwitch("lan");
  final List<NetDevice> devices = new ArrayList<>();
  private final List<VirtioPciFunction> functions = new ArrayList<>();

  /** Adds a device before the guest boots. */
  NetDevice add(final int pairs, final int mtu, final RingOptions ring) {
    final int number = devices.size();
    final String name = "net" + number;
    final NetDevice device =
        new NetDevice(
            new NetOptions(name, MacAddress.of(name), pairs, 256, mtu, true), segment, null);
    final VirtioPciFunction function = new VirtioFunctionBuilder(name, device).ring(ring).build();
    test.bus.add(
        "00:0" + (4 + number) + ".0", new HostedFunction(test.msi, test.memory, function).plugIn());
    devices.add(device);
    functions.add(function);
    return device;
  }

  /** Two devices of one kind, and a guest that has booted. */
  static NetGuest pair(final int pairs, final int mtu, final RingOptions ring) {
    final NetGuest guest = new NetGuest();
    guest.add(pairs, mtu, ring);
    guest.add(pairs, mtu, ring);
    guest.test.boot();
    return guest;
  }

  Network network() {
    return test.guest.network();
  }

  NetworkInterface eth(final int number) {
    return test.guest.networkInterfaces().stream()
        .filter(of -> of.name().equals("eth" + number))
        .findFirst()
        .orElseThrow(() -> new AssertionError(test.guest.dmesg()));
  }

  VirtioPciFunction function(final int number) {
    return functions.get(number);
  }

  @Override
  public void close() {
    test.close();
    functions.forEach(VirtioPciFunction::unplugged);
    devices.forEach(NetDevice::close);
  }
}
