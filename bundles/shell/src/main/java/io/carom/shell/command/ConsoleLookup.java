package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioConsole;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Consoles and ports by the words that people use for them. */
final class ConsoleLookup {
  private ConsoleLookup() {}

  static VirtioConsole console(final ShellServices services, final String name) {
    final List<VirtioConsole> all = services.consoles();
    return all.stream()
        .filter(console -> console.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown console '"
                        + name
                        + "'; "
                        + (all.isEmpty()
                            ? "there is none: add one with device:add console"
                            : "valid: "
                                + all.stream()
                                    .map(VirtioConsole::name)
                                    .collect(Collectors.joining(", ")))));
  }

  /** A port by its number or name; without either the console itself. */
  static ConsolePort port(final VirtioConsole console, final @Nullable String wanted) {
    final List<ConsolePort> all = console.ports();
    if (wanted == null) {
      return all.getFirst();
    }
    return all.stream()
        .filter(
            port -> Integer.toString(port.number()).equals(wanted) || port.name().equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "unknown port '"
                        + wanted
                        + "' of "
                        + console.name()
                        + "; valid: "
                        + all.stream()
                            .map(
                                port ->
                                    port.name().isEmpty()
                                        ? Integer.toString(port.number())
                                        : port.number() + "=" + port.name())
                            .collect(Collectors.joining(", "))));
  }
}
