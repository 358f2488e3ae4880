package io.carom.virtio.device.console;

import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.ConsolePort;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import io.carom.virtio.device.type.Pump;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The console device (virtio 1.4, section Console Device). Port 0 is a console, the others are
 * plain ports.
 *
 * <p>All queues are of mode {@code EVENTS}, also those on which the guest transmits: a chain is
 * taken when there is room for its bytes, else it waits in the ring, see {@link DevicePort}. One
 * pump moves the bytes of all ports, a bounded number for each in turn.
 *
 * <p><b>When its code is replaced</b> the guest's ports stay as they are, and bytes that were on
 * their way in either direction are handed over and delivered once. Who was attached learns that
 * the port is gone, and attaches to the next one; the guest is told that the host's end was closed,
 * and then that it is open. With code that hangs outside of a request the bytes on their way are
 * lost; of a request that was half taken the first bytes may come again.
 *
 * <p><b>Locks.</b> The device's own guards which ports there are and what the guest said of them. A
 * filler takes it inside a filling; so nobody calls the link with it held.
 */
public final class ConsoleDevice implements DeviceType, VirtioConsole {
  private static final int SIMPLE_COMMUNICATION = 0x078000;

  /** Longest name of a port, bytes. */
  private static final int MOST_NAME_BYTES = 64;

  /** Chains of one port in a row, so that others get their turn. */
  private static final int CHAINS_IN_A_ROW = 16;

  private final ConsoleOptions options;
  private final boolean threaded;
  private final ConfigSpace config = new ConfigSpace(ConsoleDescriptor.CONFIG_SIZE);
  private final @Nullable DevicePort[] ports;
  private final ConsoleControl control;
  private volatile @Nullable Running running;
  private volatile long accepted;
  private int columns;
  private int rows;

  /** What it has while its function is plugged. */
  private record Running(DeviceLink link, Pump pump) {}

  /**
   * A device.
   *
   * @param errors where wrong messages are told
   * @param threaded whether it works on a thread of its own, or on those that signal, as in tests
   * @throws IllegalArgumentException when a port's name is too long
   */
  public ConsoleDevice(
      final ConsoleOptions options, final ErrorLog errors, final boolean threaded) {
    this.options = options;
    this.threaded = threaded;
    ports = new DevicePort[options.maxPorts()];
    control = new ConsoleControl(this, options.maxPorts(), errors);
    columns = options.columns();
    rows = options.rows();
    for (int i = 0; i < Math.max(1, options.portNames().size()); i++) {
      ports[i] = port(i, i < options.portNames().size() ? options.portNames().get(i) : "");
    }
    config.putInt(ConsoleDescriptor.CONFIG_MAX_PORTS, options.maxPorts());
    putSize();
  }

  private DevicePort port(final int number, final String portName) {
    checkName(portName);
    return new DevicePort(
        number, portName, options.bufferBytes(), this::signal, control::hostOpened);
  }

  static void checkName(final String portName) {
    if (portName.getBytes(StandardCharsets.UTF_8).length > MOST_NAME_BYTES) {
      throw new IllegalArgumentException(
          "port name '" + portName + "' is longer than " + MOST_NAME_BYTES + " bytes");
    }
  }

  private void putSize() {
    config.putShort(ConsoleDescriptor.CONFIG_COLS, columns);
    config.putShort(ConsoleDescriptor.CONFIG_ROWS, rows);
  }

  // ---- the type

  @Override
  public int id() {
    return VirtioIds.TYPE_CONSOLE;
  }

  @Override
  public String typeName() {
    return "console";
  }

  @Override
  public int classCode() {
    return SIMPLE_COMMUNICATION;
  }

  @Override
  public long features() {
    return VirtioFeatures.CONSOLE_SIZE
        | VirtioFeatures.CONSOLE_EMERG_WRITE
        | (options.maxPorts() > 1 ? VirtioFeatures.CONSOLE_MULTIPORT : 0);
  }

  @Override
  public int queues() {
    return options.maxPorts() == 1
        ? 2
        : ConsoleDescriptor.transmitQueue(options.maxPorts() - 1) + 1;
  }

  @Override
  public int queueSize() {
    return options.queueSize();
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public QueueMode mode(final int queue) {
    return QueueMode.EVENTS;
  }

  @Override
  public QueueHandler open(final int queue, final long features) {
    throw new IllegalStateException("its queues are of mode EVENTS");
  }

  @Override
  public void negotiated(final long features) {
    accepted = features;
  }

  private boolean multiport() {
    return (accepted & VirtioFeatures.CONSOLE_MULTIPORT) != 0;
  }

  boolean sized() {
    return (accepted & VirtioFeatures.CONSOLE_SIZE) != 0;
  }

  /** The emergency write works at any time, also before the driver has configured the device. */
  @Override
  public boolean alwaysWritable(final int offset, final int width) {
    return offset == ConsoleDescriptor.CONFIG_EMERGENCY;
  }

  @Override
  public void configWritten(final int offset, final int width, final long value) {
    if (offset == ConsoleDescriptor.CONFIG_EMERGENCY) {
      first().emergency((byte) value); // the low byte is what counts
    }
  }

  @Override
  public void plugged(final DeviceLink link) {
    final Pump pump = new Pump(threaded, () -> work(link));
    running = new Running(link, pump);
    pump.start("console " + link.address());
  }

  @Override
  public void buffersAdded(final int queue) {
    signal();
  }

  private void changed() {
    final Running now = running;
    if (now != null) {
      now.link().changed();
      now.pump().signal();
    }
  }

  private void signal() {
    final Running now = running;
    if (now != null) {
      now.pump().signal();
    }
  }

  @Override
  public void reset() {
    synchronized (this) {
      accepted = 0;
      control.reset();
      for (final DevicePort port : ports) {
        if (port != null) {
          port.reset();
        }
      }
    }
  }

  @Override
  public void unplugged() {
    final Running was = running;
    running = null;
    if (was != null) {
      was.pump().close();
    }
  }

  @Override
  public long requests() {
    return present().stream().mapToLong(port -> port.received() + port.sent()).sum();
  }

  @Override
  public String backend() {
    return present().size() + " of " + options.maxPorts() + " ports, " + columns() + "x" + rows();
  }

  @Override
  public void close() {
    unplugged();
    present().forEach(DevicePort::remove);
  }

  // ---- the pump

  private long work(final DeviceLink link) {
    boolean more = true;
    while (more && running != null) {
      more = false;
      if (multiport() && control.exchange(link)) {
        more = true;
        link.changed();
      }
      for (final DevicePort port : present()) {
        if (port.number() == 0 || multiport()) {
          more |= move(link, port);
        }
      }
    }
    return Pump.IDLE;
  }

  private boolean move(final DeviceLink link, final DevicePort port) {
    boolean more = false;
    final int transmit = ConsoleDescriptor.transmitQueue(port.number());
    for (int i = 0; i < CHAINS_IN_A_ROW; i++) {
      link.fill(transmit, port::receive);
      more = port.more();
      if (!more) {
        break;
      }
    }
    // a port that the guest has not opened keeps what the host wrote
    if (!multiport() || port.guestOpen()) {
      final int receive = ConsoleDescriptor.receiveQueue(port.number());
      int chains = 0;
      while (port.wantsToSend() && link.fill(receive, port::send)) {
        if (++chains == CHAINS_IN_A_ROW) {
          return true;
        }
      }
    }
    return more;
  }

  // ---- the host's view

  @Override
  public String name() {
    return options.name();
  }

  private DevicePort first() {
    final DevicePort port = ports[0];
    if (port == null) {
      throw new IllegalStateException("port 0 is always there");
    }
    return port;
  }

  synchronized List<DevicePort> present() {
    final List<DevicePort> list = new ArrayList<>();
    for (final DevicePort port : ports) {
      if (port != null) {
        list.add(port);
      }
    }
    return list;
  }

  /** A port, or null when there is none of that number, whatever the number. */
  synchronized @Nullable DevicePort find(final int number) {
    return number >= 0 && number < ports.length ? ports[number] : null;
  }

  @Override
  public List<ConsolePort> ports() {
    return List.copyOf(present());
  }

  @Override
  public ConsolePort addPort(final String portName) {
    checkName(portName);
    final DevicePort added;
    synchronized (this) {
      int number = 1;
      while (number < ports.length && ports[number] != null) {
        number++;
      }
      if (number >= ports.length) {
        throw new IllegalStateException(
            name() + " has room for " + ports.length + " ports, and as many: remove one first");
      }
      added = port(number, portName);
      control.announce(added);
      ports[number] = added;
    }
    changed();
    return added;
  }

  @Override
  public void removePort(final int number) {
    synchronized (this) {
      final DevicePort port = find(number);
      if (port == null || number == 0) {
        throw new IllegalArgumentException(
            number == 0
                ? "port 0 is the console, which stays: remove the device instead"
                : name() + " has no port " + number);
      }
      control.retire(port);
      ports[number] = null;
      port.remove();
    }
    changed();
  }

  @Override
  public void resize(final int newColumns, final int newRows) {
    ConsoleOptions.checkCells("columns", newColumns);
    ConsoleOptions.checkCells("rows", newRows);
    final Running now;
    synchronized (this) {
      if (multiport()) {
        control.resized(first(), newColumns, newRows);
      }
      columns = newColumns;
      rows = newRows;
      putSize();
      now = running;
    }
    if (now != null) {
      if (sized()) {
        now.link().configChanged();
      } else {
        now.link().changed();
      }
      now.pump().signal();
    }
  }

  @Override
  public synchronized int columns() {
    return columns;
  }

  @Override
  public synchronized int rows() {
    return rows;
  }

  // ---- at rest

  @Override
  public synchronized Map<String, String> save() {
    return ConsoleState.save(this, control, true);
  }

  /** Without the bytes on their way: with a code that hangs, those are lost. */
  @Override
  public synchronized Map<String, String> words() {
    return ConsoleState.save(this, control, false);
  }

  /** Bytes that are told here are not given to anyone else. */
  @Override
  public synchronized Map<String, String> handOver() {
    for (final DevicePort port : present()) {
      port.fromGuest().hold();
      port.toGuest().hold();
    }
    return ConsoleState.save(this, control, true);
  }

  @Override
  public synchronized void restore(final Map<String, String> saved) {
    ConsoleState.restore(this, control, saved, false);
  }

  @Override
  public synchronized void resume(final Map<String, String> kept) {
    ConsoleState.restore(this, control, kept, true);
  }

  /** Takes the ports and size of a saved state, all of it checked. */
  void restored(final List<DevicePort> saved, final int savedColumns, final int savedRows) {
    for (final DevicePort port : present()) {
      if (!saved.contains(port)) {
        port.remove(); // whoever was attached to it learns of it
      }
    }
    Arrays.fill(ports, null);
    for (final DevicePort port : saved) {
      ports[port.number()] = port;
    }
    columns = savedColumns;
    rows = savedRows;
    putSize();
  }

  DevicePort portOf(final int number, final String portName) {
    return port(number, portName);
  }

  ConsoleOptions options() {
    return options;
  }
}
