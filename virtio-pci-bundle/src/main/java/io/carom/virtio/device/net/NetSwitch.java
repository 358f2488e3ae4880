package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A learning switch in memory: one segment of a network. A frame goes to the port behind which its
 * destination was seen, to all others when that is not known or a group, and never back to where it
 * came from. Thread-safe.
 *
 * <p>A sender's thread carries its frame to the receivers' ports, which take copies; the lock is
 * held for a look at the table only. A port that leaves may be given a frame once more.
 */
public final class NetSwitch {
  private final String name;
  private final MacTable table = new MacTable();
  private volatile SwitchPort[] ports = new SwitchPort[0];

  /** A switch without ports. */
  public NetSwitch(final String name) {
    this.name = name;
  }

  /** The segment's name. */
  public String name() {
    return name;
  }

  /** Plugs a port in. */
  synchronized void join(final SwitchPort port) {
    ports = Arrays.copyOf(ports, ports.length + 1);
    ports[ports.length - 1] = port;
  }

  /** Takes a port out, and forgets the stations behind it. */
  synchronized void leave(final SwitchPort port) {
    ports = Arrays.stream(ports).filter(other -> other != port).toArray(SwitchPort[]::new);
    table.forget(port);
  }

  /** Number of ports. */
  int size() {
    return ports.length;
  }

  /** Number of stations that it knows. */
  synchronized int stations() {
    return table.size();
  }

  /**
   * Forwards a frame of at least a header.
   *
   * @throws IllegalArgumentException when it is shorter
   */
  void forward(final SwitchPort from, final Frame frame) {
    if (frame.length < NetDescriptor.ETHERNET_HEADER) {
      throw new IllegalArgumentException("a frame of " + frame.length + " bytes has no header");
    }
    final SwitchPort to = look(from, frame.source(), frame.destination());
    if (to != null) {
      if (to != from) {
        to.deliver(frame);
      }
      return;
    }
    for (final SwitchPort port : ports) {
      if (port != from) {
        port.deliver(frame);
      }
    }
  }

  private synchronized @Nullable SwitchPort look(
      final SwitchPort from, final long source, final long destination) {
    // a group's address is no station's, whoever claims it as a source; nor is that of a port
    // which has left, whose thread may still be here
    if (!MacAddress.isGroup(source) && isHere(from)) {
      table.learn(source, from);
    }
    return MacAddress.isGroup(destination) ? null : table.find(destination);
  }

  private boolean isHere(final SwitchPort wanted) {
    for (final SwitchPort port : ports) {
      if (port == wanted) {
        return true;
      }
    }
    return false;
  }
}
