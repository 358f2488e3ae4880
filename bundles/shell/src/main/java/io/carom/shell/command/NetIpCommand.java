package io.carom.shell.command;

import io.carom.shell.result.NetEntry;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "net:ip",
    description = "Give an interface its IPv4 address; without, it has a link-local one.")
final class NetIpCommand extends ShellCommand {
  @Parameters(index = "0", paramLabel = "INTERFACE", description = "The interface, such as eth0.")
  String of = "";

  @Parameters(index = "1", paramLabel = "ADDRESS/PREFIX", description = "For instance 10.0.0.1/24.")
  String address = "";

  private final ShellServices services;

  NetIpCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return NetEntry.of(services.network().address(of, address));
  }
}
