package io.carom.shell.command;

import io.carom.shell.result.Lists.NetInterfaces;
import io.carom.shell.result.NetEntry;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(name = "net:list", description = "List the guest's network interfaces.")
final class NetListCommand extends ShellCommand {
  private final ShellServices services;

  NetListCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new NetInterfaces(
        services.guest().networkInterfaces().stream().map(NetEntry::of).toList());
  }
}
