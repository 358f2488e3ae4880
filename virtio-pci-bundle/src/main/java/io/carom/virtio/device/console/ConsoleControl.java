package io.carom.virtio.device.console;

import io.carom.virtio.ConsoleDescriptor;
import io.carom.virtio.device.queue.ChainCursor;
import io.carom.virtio.device.queue.ChainSupply;
import io.carom.virtio.device.queue.DescriptorChain;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.ErrorLog;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The conversation on the control queues (virtio 1.4, section Multiport Device Operation).
 *
 * <p>Answers wait in a bounded list for buffers of the driver. While there is no room for what one
 * message can cause, messages wait in their ring: a driver that talks and gives no buffers holds up
 * itself, and costs the host nothing. A message that is short, of an unknown event, or of a port
 * that is not there is told and ignored.
 *
 * <p>Guarded by the device.
 */
final class ConsoleControl {
  /** Answers to one message: a port's console flag, name, size and open end, or all ports. */
  private static final int ANSWERS_OF_A_PORT = 4;

  /** Messages that the host's own actions may have waiting besides. */
  private static final int HOST_MESSAGES = 64;

  private final ConsoleDevice device;
  private final ErrorLog errors;
  private final int mostAnswers;
  private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();
  private final byte[] message = new byte[ConsoleDescriptor.CONTROL_SIZE];
  private boolean driverReady;

  ConsoleControl(final ConsoleDevice device, final int maxPorts, final ErrorLog errors) {
    this.device = device;
    this.errors = errors;
    mostAnswers = Math.max(maxPorts, ANSWERS_OF_A_PORT);
  }

  void reset() {
    waiting.clear();
    driverReady = false;
  }

  /** Moves messages both ways; whether there may be more to do. On the pump's thread. */
  boolean exchange(final DeviceLink link) {
    boolean moved = false;
    while (link.fill(ConsoleDescriptor.CONTROL_RECEIVE, this::answer)) {
      moved = true;
    }
    for (int i = 0;
        i < mostAnswers && link.fill(ConsoleDescriptor.CONTROL_TRANSMIT, this::read);
        i++) {
      moved = true;
    }
    return moved;
  }

  private boolean answer(final ChainSupply chains) throws QueueException {
    synchronized (device) {
      final byte[] next = waiting.peek();
      final DescriptorChain chain = next == null ? null : chains.next();
      if (next == null || chain == null) {
        return false;
      }
      if (chain.writableBytes() == 0) {
        throw new QueueException("a control receive buffer has no writable byte");
      }
      if (chain.writableBytes() < next.length) {
        errors.report(
            "a control receive buffer of "
                + chain.writableBytes()
                + " bytes is too small for a message of "
                + next.length);
        return true; // it goes back empty; the message waits for a larger one
      }
      chain.writer().put(next, 0, next.length);
      chain.wrote(next.length);
      waiting.remove();
      return true;
    }
  }

  private boolean read(final ChainSupply chains) throws QueueException {
    synchronized (device) {
      if (waiting.size() > mostAnswers + HOST_MESSAGES) {
        return false;
      }
      final DescriptorChain chain = chains.next();
      if (chain == null) {
        return false;
      }
      final ChainCursor reader = chain.reader();
      if (reader.remaining() < message.length) {
        errors.report("a control message of " + reader.remaining() + " bytes is too short");
        return true;
      }
      reader.get(message, 0, message.length);
      handle(
          ControlMessage.port(message),
          ControlMessage.event(message),
          ControlMessage.value(message));
      return true;
    }
  }

  private void handle(final int number, final int event, final int value) {
    if (event == ConsoleDescriptor.DEVICE_READY) {
      ready(value);
      return;
    }
    final DevicePort port = device.find(number);
    if (port == null) {
      errors.report(
          "control message "
              + event
              + " is of port "
              + Integer.toUnsignedString(number)
              + ", which is not there");
      return;
    }
    switch (event) {
      case ConsoleDescriptor.PORT_READY -> portReady(port, value);
      case ConsoleDescriptor.PORT_OPEN -> {
        if (port.ready) {
          port.guestOpen(value != 0);
        } else {
          errors.report("port " + number + " is opened before it is ready");
        }
      }
      default -> errors.report("control message " + event + " is none of a driver's");
    }
  }

  private void ready(final int value) {
    driverReady = value != 0;
    if (!driverReady) {
      errors.report("the driver could not initialise the device");
      return;
    }
    for (final DevicePort port : device.present()) {
      add(port);
    }
  }

  private void portReady(final DevicePort port, final int value) {
    port.ready = value != 0;
    if (!port.ready) {
      port.guestOpen(false);
      errors.report("the driver could not take up port " + port.number());
      return;
    }
    if (port.console()) {
      say(ControlMessage.of(port.number(), ConsoleDescriptor.CONSOLE_PORT, 1));
      if (device.sized()) {
        say(ControlMessage.resize(port.number(), device.columns(), device.rows()));
      }
    }
    if (!port.name().isEmpty()) {
      say(ControlMessage.name(port.number(), port.name()));
    }
    if (port.hostOpen()) {
      say(ControlMessage.of(port.number(), ConsoleDescriptor.PORT_OPEN, 1));
    }
  }

  private void add(final DevicePort port) {
    port.added = true;
    say(ControlMessage.of(port.number(), ConsoleDescriptor.DEVICE_ADD, 1));
  }

  private void say(final byte[] what) {
    waiting.add(what);
  }

  // ---- what the host does; refused while the guest does not listen

  private void checkRoom() {
    if (waiting.size() > mostAnswers + HOST_MESSAGES / 2) {
      throw new IllegalStateException(
          device.name() + ": the guest does not take control messages; try again, or reset it");
    }
  }

  /** There is a new port. */
  void announce(final DevicePort port) {
    if (driverReady) {
      checkRoom();
      add(port);
    }
  }

  /** A port goes. */
  void retire(final DevicePort port) {
    if (port.added) {
      checkRoom();
      say(ControlMessage.of(port.number(), ConsoleDescriptor.DEVICE_REMOVE, 1));
    }
  }

  /** The console has another size. */
  void resized(final DevicePort port, final int columns, final int rows) {
    if (port.ready && device.sized()) {
      checkRoom();
      say(ControlMessage.resize(port.number(), columns, rows));
    }
  }

  /** The host's end of a port was opened or closed. */
  void hostOpened(final DevicePort port, final boolean open) {
    synchronized (device) {
      if (port.ready && !port.console()) {
        final byte[] last = lastOpen(port.number());
        if (last != null) {
          waiting.remove(last); // who has not been told of it need not be told of both
        } else {
          say(ControlMessage.of(port.number(), ConsoleDescriptor.PORT_OPEN, open ? 1 : 0));
        }
      }
    }
  }

  private byte @Nullable [] lastOpen(final int number) {
    byte[] found = null;
    for (final byte[] one : waiting) {
      if (ControlMessage.port(one) == number
          && ControlMessage.event(one) == ConsoleDescriptor.PORT_OPEN) {
        found = one;
      }
    }
    return found;
  }

  // ---- at rest

  boolean driverReady() {
    return driverReady;
  }

  List<byte[]> waiting() {
    return new ArrayList<>(waiting);
  }

  void restore(final boolean ready, final List<byte[]> messages) {
    driverReady = ready;
    waiting.clear();
    waiting.addAll(messages);
  }
}
