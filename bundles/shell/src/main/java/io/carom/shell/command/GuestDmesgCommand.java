package io.carom.shell.command;

import io.carom.shell.result.Lists.GuestLog;
import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(name = "guest:dmesg", description = "Print the guest kernel's log.")
final class GuestDmesgCommand extends ShellCommand {
  private final ShellServices services;

  GuestDmesgCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return new GuestLog(services.guest().dmesg());
  }
}
