package io.carom.shell.result;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ports of all consoles.
 *
 * @param ports by device and number
 */
public record ConsolePorts(List<Port> ports) {
  /**
   * One port.
   *
   * @param device host name
   * @param port its number
   * @param name its name, empty for none
   * @param guest what the guest calls it, or null
   * @param columns columns of a console, else 0
   * @param rows rows of a console, else 0
   * @param guestOpen whether the guest has it open
   * @param attached whether somebody is attached
   * @param receivedBytes bytes that the guest wrote
   * @param sentBytes bytes that it was handed
   * @param droppedBytes bytes of it that were lost, as nobody was attached
   */
  public record Port(
      String device,
      int port,
      String name,
      @Nullable String guest,
      int columns,
      int rows,
      boolean guestOpen,
      boolean attached,
      long receivedBytes,
      long sentBytes,
      long droppedBytes) {}
}
