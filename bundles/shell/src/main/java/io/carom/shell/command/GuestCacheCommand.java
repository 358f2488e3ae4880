package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

@Command(
    name = "guest:cache",
    description = "Show what the guest's page cache holds, and how much of it in lent memory.")
final class GuestCacheCommand extends ShellCommand {
  private final ShellServices services;

  GuestCacheCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    return services.pageCache().info();
  }
}
