package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import java.util.function.Function;
import picocli.CommandLine.Command;

/**
 * A kind of command.
 *
 * @param scope Gogo scope
 * @param function Gogo function
 * @param type its class
 * @param maker makes one for a call
 */
public record CommandKind(
    String scope,
    String function,
    Class<? extends ShellCommand> type,
    Function<ShellServices, ? extends ShellCommand> maker) {

  static <T extends ShellCommand> CommandKind of(
      final Class<T> type, final Function<ShellServices, T> maker) {
    final String name = type.getAnnotation(Command.class).name();
    final int colon = name.indexOf(':');
    return new CommandKind(name.substring(0, colon), name.substring(colon + 1), type, maker);
  }

  /** Scope and function, as users type them. */
  public String name() {
    return scope + ":" + function;
  }

  /** What it does, in one line. */
  public String description() {
    return type.getAnnotation(Command.class).description()[0];
  }

  ShellCommand create(final ShellServices services) {
    return maker.apply(services);
  }
}
