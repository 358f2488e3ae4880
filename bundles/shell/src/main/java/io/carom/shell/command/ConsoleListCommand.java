package io.carom.shell.command;

import io.carom.guest.GuestConsole;
import io.carom.pci.PciAddress;
import io.carom.shell.result.ConsolePorts;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.VirtioDeviceInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

@Command(name = "console:list", description = "List the consoles and their ports.")
final class ConsoleListCommand extends ShellCommand {
  private final ShellServices services;

  ConsoleListCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final List<ConsolePorts.Port> ports = new ArrayList<>();
    for (final VirtioConsole console : services.consoles()) {
      final @Nullable String address = address(console.name());
      for (final ConsolePort port : console.ports()) {
        ports.add(
            new ConsolePorts.Port(
                console.name(),
                port.number(),
                port.name(),
                guest(address, port.number()),
                port.console() ? console.columns() : 0,
                port.console() ? console.rows() : 0,
                port.guestOpen(),
                port.attached(),
                port.received(),
                port.sent(),
                port.dropped()));
      }
    }
    return new ConsolePorts(ports);
  }

  private @Nullable String address(final String name) {
    return services.virtio().devices().stream()
        .filter(info -> info.name().equals(name))
        .map(VirtioDeviceInfo::address)
        .filter(Objects::nonNull)
        .map(address -> PciAddress.parse(address).withDomain())
        .findFirst()
        .orElse(null);
  }

  private @Nullable String guest(final @Nullable String address, final int port) {
    return services.guest().consoles().stream()
        .filter(console -> console.port() == port && console.address().equals(address))
        .map(GuestConsole::name)
        .findFirst()
        .orElse(null);
  }
}
