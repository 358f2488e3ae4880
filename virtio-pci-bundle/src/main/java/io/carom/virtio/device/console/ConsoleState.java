package io.carom.virtio.device.console;

import io.carom.virtio.ConsoleDescriptor;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A console at rest, in words and numbers: its size, which ports are there and open, and the bytes
 * that are on their way. What a state of an older version lacks is at its value after a reset.
 */
final class ConsoleState {
  private static final String COLUMNS = "columns";
  private static final String ROWS = "rows";
  private static final String READY = "ready";
  private static final String PORTS = "ports";
  private static final String MESSAGES = "messages";
  private static final int MOST_MESSAGE_BYTES = 256;
  private static final int MOST_MESSAGES = 1024;

  private ConsoleState() {}

  /**
   * What there is to know.
   *
   * @param bytes whether also of the bytes on their way, which requests change
   */
  static Map<String, String> save(
      final ConsoleDevice device, final ConsoleControl control, final boolean bytes) {
    final Map<String, String> saved = new HashMap<>();
    saved.put(COLUMNS, Integer.toString(device.columns()));
    saved.put(ROWS, Integer.toString(device.rows()));
    saved.put(READY, Boolean.toString(control.driverReady()));
    final List<String> numbers = new ArrayList<>();
    for (final DevicePort port : device.present()) {
      final String key = key(port.number());
      numbers.add(Integer.toString(port.number()));
      saved.put(key + "name", port.name());
      saved.put(key + "added", Boolean.toString(port.added));
      saved.put(key + "ready", Boolean.toString(port.ready));
      saved.put(key + "open", Boolean.toString(port.guestOpen()));
      saved.put(key + "attached", Boolean.toString(port.attached()));
      if (bytes) {
        saved.put(key + "begun", Long.toString(port.begun()));
        saved.put(key + "fromGuest", text(port.fromGuest().snapshot()));
        saved.put(key + "toGuest", text(port.toGuest().snapshot()));
      }
    }
    saved.put(PORTS, String.join(",", numbers));
    final List<String> messages = control.waiting().stream().map(ConsoleState::text).toList();
    saved.put(MESSAGES, String.join(",", messages));
    return saved;
  }

  private static String key(final int port) {
    return "port." + port + ".";
  }

  private static String text(final byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  /**
   * Checks all of it before it changes anything.
   *
   * @param again whether the device goes on with the ports that it has, where they are the same
   */
  static void restore(
      final ConsoleDevice device,
      final ConsoleControl control,
      final Map<String, String> saved,
      final boolean again) {
    final int columns = cells(saved, COLUMNS, ConsoleOptions.DEFAULT_COLUMNS);
    final int rows = cells(saved, ROWS, ConsoleOptions.DEFAULT_ROWS);
    final List<SavedPort> ports = new ArrayList<>();
    for (final String number : saved.getOrDefault(PORTS, "0").split(",", -1)) {
      ports.add(port(device, saved, (int) number(PORTS, number, device.options().maxPorts() - 1L)));
    }
    if (ports.stream().noneMatch(port -> port.number == 0)) {
      throw new IllegalArgumentException(PORTS + "=" + saved.get(PORTS) + " lacks port 0");
    }
    if (ports.stream().map(SavedPort::number).distinct().count() != ports.size()) {
      throw new IllegalArgumentException(PORTS + "=" + saved.get(PORTS) + " names one twice");
    }
    final List<byte[]> messages = new ArrayList<>();
    final String waiting = saved.getOrDefault(MESSAGES, "");
    if (!waiting.isEmpty()) {
      for (final String message : waiting.split(",", MOST_MESSAGES)) {
        final byte[] decoded = bytes(MESSAGES, message, MOST_MESSAGE_BYTES);
        if (decoded.length < ConsoleDescriptor.CONTROL_SIZE) {
          throw new IllegalArgumentException("a saved message has " + decoded.length + " bytes");
        }
        messages.add(decoded);
      }
    }
    device.restored(ports.stream().map(port -> port.put(device, again)).toList(), columns, rows);
    control.restore(Boolean.parseBoolean(saved.get(READY)), messages);
    for (final SavedPort port : ports) {
      final DevicePort now = device.find(port.number);
      if (again && port.attached && now != null && !now.attached()) {
        control.hostOpened(now, false); // who was attached is not any more
      }
    }
  }

  /** A port of a saved state, all of it checked. */
  private record SavedPort(
      int number,
      String name,
      boolean added,
      boolean ready,
      boolean open,
      boolean attached,
      long begun,
      byte[] fromGuest,
      byte[] toGuest) {
    DevicePort put(final ConsoleDevice device, final boolean again) {
      final DevicePort same = again ? device.find(number) : null;
      final DevicePort port =
          same != null && same.name().equals(name) ? same : device.portOf(number, name);
      port.added = added;
      port.ready = ready;
      port.guestOpen(open);
      port.begun(begun);
      port.fromGuest().restore(fromGuest);
      port.toGuest().restore(toGuest);
      return port;
    }
  }

  private static SavedPort port(
      final ConsoleDevice device, final Map<String, String> saved, final int number) {
    final String key = key(number);
    final int most = device.options().bufferBytes();
    final String name = saved.getOrDefault(key + "name", "");
    ConsoleDevice.checkName(name);
    return new SavedPort(
        number,
        name,
        Boolean.parseBoolean(saved.get(key + "added")),
        Boolean.parseBoolean(saved.get(key + "ready")),
        Boolean.parseBoolean(saved.get(key + "open")),
        Boolean.parseBoolean(saved.get(key + "attached")),
        number(key + "begun", saved.getOrDefault(key + "begun", "0"), 1L << 32), // of one chain
        bytes(key + "fromGuest", saved.getOrDefault(key + "fromGuest", ""), most),
        bytes(key + "toGuest", saved.getOrDefault(key + "toGuest", ""), most));
  }

  private static int cells(final Map<String, String> saved, final String key, final int otherwise) {
    final int value =
        (int)
            number(
                key,
                saved.getOrDefault(key, Integer.toString(otherwise)),
                ConsoleOptions.MOST_CELLS);
    ConsoleOptions.checkCells(key, value);
    return value;
  }

  private static long number(final String key, final String text, final long most) {
    try {
      final long value = Long.parseLong(text);
      if (value >= 0 && value <= most) {
        return value;
      }
    } catch (final NumberFormatException e) {
      throw new IllegalArgumentException("saved " + key + "=" + text + " is not a number", e);
    }
    throw new IllegalArgumentException("saved " + key + "=" + text + " is not in 0.." + most);
  }

  private static byte[] bytes(final String key, final String text, final int most) {
    final byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (final IllegalArgumentException e) {
      throw new IllegalArgumentException("saved " + key + " is not Base64", e);
    }
    if (bytes.length > most) {
      throw new IllegalArgumentException(
          "saved " + key + " has " + bytes.length + " bytes, more than " + most);
    }
    return bytes;
  }
}
