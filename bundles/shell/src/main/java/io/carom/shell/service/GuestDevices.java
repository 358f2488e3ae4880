package io.carom.shell.service;

import io.carom.guest.Entropy;
import io.carom.guest.GuestConsole;
import io.carom.guest.NetworkInterface;
import io.carom.pci.PciAddress;
import io.carom.shell.result.DevicePlugged;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioStatus;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Devices that are no disks: plugged until the guest drives them. */
public final class GuestDevices {
  private static final Duration APPEARS = Duration.ofSeconds(15);
  private static final Duration NAMED = Duration.ofSeconds(2);
  private static final Set<String> NAMED_TYPES = Set.of("console", "net", "rng");

  private final ShellServices services;

  /** Over the services. */
  public GuestDevices(final ShellServices services) {
    this.services = services;
  }

  /**
   * Plugs a device and waits until the guest drives it.
   *
   * @throws IllegalArgumentException when a property is refused; nothing was made then
   * @throws IllegalStateException when the guest does not take it up; it was taken out again
   */
  public DevicePlugged attach(
      final String type,
      final String name,
      final Map<String, Object> properties,
      final SwiotlbPolicy policy)
      throws InterruptedException {
    services.virtio().add(type, properties);
    final long deadline = System.nanoTime() + APPEARS.toNanos();
    while (!driven(name)) {
      if (System.nanoTime() - deadline >= 0) {
        new Disks(services).detach(name);
        throw new IllegalStateException(
            "the guest did not take up '"
                + name
                + "' within "
                + APPEARS.toSeconds()
                + " s; see guest:dmesg");
      }
      Thread.sleep(2);
    }
    final String address =
        info(name)
            .map(VirtioDeviceInfo::address)
            .map(plugged -> PciAddress.parse(plugged).withDomain())
            .orElse(null);
    return new DevicePlugged(name, type, address, guestName(type, address), policy);
  }

  private Optional<VirtioDeviceInfo> info(final String name) {
    return services.virtio().devices().stream().filter(i -> i.name().equals(name)).findFirst();
  }

  private boolean driven(final String name) {
    return info(name).map(device -> (device.status() & VirtioStatus.DRIVER_OK) != 0).orElse(false);
  }

  /** What the guest calls it; null when it has no name for it, or none in time. */
  private @Nullable String guestName(final String type, final @Nullable String address)
      throws InterruptedException {
    if (address == null || !NAMED_TYPES.contains(type)) {
      return null;
    }
    final long deadline = System.nanoTime() + NAMED.toNanos();
    while (System.nanoTime() - deadline < 0) {
      final Optional<String> found = guestNames(address).findFirst();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.sleep(2);
    }
    return null;
  }

  private Stream<String> guestNames(final String address) {
    return Stream.of(
            services.guest().entropySources().stream()
                .filter(source -> source.address().equals(address))
                .map(Entropy::name),
            services.guest().consoles().stream()
                .filter(console -> console.console() && console.address().equals(address))
                .map(GuestConsole::name),
            services.guest().networkInterfaces().stream()
                .filter(net -> net.address().equals(address))
                .map(NetworkInterface::name))
        .flatMap(names -> names);
  }
}
