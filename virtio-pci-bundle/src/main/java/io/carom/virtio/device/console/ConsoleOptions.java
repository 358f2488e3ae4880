package io.carom.virtio.device.console;

import java.util.List;

/**
 * What a console device is like.
 *
 * @param name the device's name
 * @param maxPorts ports that it has room for; with more than one, MULTIPORT is offered
 * @param portNames names of the ports that it begins with, port 0 first; empty for no name
 * @param columns columns of the console, 1..65535
 * @param rows rows of the console, 1..65535
 * @param queueSize entries of each queue
 * @param bufferBytes bytes that a port holds in each direction
 */
public record ConsoleOptions(
    String name,
    int maxPorts,
    List<String> portNames,
    int columns,
    int rows,
    int queueSize,
    int bufferBytes) {
  /** Most ports of a device; each has two queues. */
  public static final int MOST_PORTS = 31;

  /** Columns unless told otherwise. */
  public static final int DEFAULT_COLUMNS = 80;

  /** Rows unless told otherwise. */
  public static final int DEFAULT_ROWS = 25;

  /** Bytes of a buffer unless told otherwise. */
  public static final int DEFAULT_BUFFER_BYTES = 64 << 10;

  /** Largest value of columns and rows. */
  static final int MOST_CELLS = 0xffff;

  /** Copies the list. */
  public ConsoleOptions {
    portNames = List.copyOf(portNames);
    if (maxPorts < 1 || maxPorts > MOST_PORTS) {
      throw new IllegalArgumentException("ports=" + maxPorts + " is not in 1.." + MOST_PORTS);
    }
    if (portNames.size() > maxPorts) {
      throw new IllegalArgumentException(
          portNames.size() + " port names are more than ports=" + maxPorts);
    }
    checkCells("columns", columns);
    checkCells("rows", rows);
    if (bufferBytes < 1) {
      throw new IllegalArgumentException("bufferBytes=" + bufferBytes + " is not positive");
    }
  }

  /** Checks columns or rows. */
  static void checkCells(final String what, final int value) {
    if (value < 1 || value > MOST_CELLS) {
      throw new IllegalArgumentException(what + "=" + value + " is not in 1.." + MOST_CELLS);
    }
  }
}
