package io.carom.shell.result;

import java.util.List;

/** The commands there are. */
public record CommandList(List<Line> commands) {
  /**
   * A command.
   *
   * @param command scope and function
   * @param description what it does
   */
  public record Line(String command, String description) {}
}
