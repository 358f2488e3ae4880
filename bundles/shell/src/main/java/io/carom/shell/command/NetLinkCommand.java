package io.carom.shell.command;

import io.carom.shell.result.Lists.NetPorts;
import io.carom.shell.service.ShellServices;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "net:link",
    description = "Show the ports of the host's switches, or take a device's link up or down.")
final class NetLinkCommand extends ShellCommand {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "NETDEV",
      description = "Host name of a network device; all are shown without.")
  @Nullable String port;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "STATE",
      converter = Words.Link.class,
      completionCandidates = Words.Link.class,
      description = "up or down; shown only, without.")
  @Nullable String state;

  private final ShellServices services;

  NetLinkCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) {
    final String name = port;
    if (name == null) {
      return new NetPorts(services.netHost().ports());
    }
    if (state != null) {
      return services.netHost().link(name, state.equals("up"));
    }
    return services.netHost().ports().stream()
        .filter(info -> info.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(unknown(name)));
  }

  private String unknown(final String name) {
    final List<String> names =
        services.netHost().ports().stream().map(info -> info.name()).toList();
    return "there is no network device '"
        + name
        + "': "
        + (names.isEmpty() ? "there are none" : "there are " + String.join(", ", names));
  }
}
