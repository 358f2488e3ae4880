package io.carom.virtio.device.net;

import io.carom.virtio.NetDescriptor;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A learning switch in memory: one segment of a network. A frame goes to the port behind which its
 * destination was seen, to all others when that is not known or a group, and never back to where it
 * came from. Thread-safe.
 *
 * <p>A sender's thread carries its frame to the receivers' ports, which take copies; the lock is
 * held for a look at the table only. A port that leaves may be given a frame once more.
 *
 * <p><b>A station whose code is replaced</b> is away, and comes back. Until it does, for at most
 * {@value #MOST_AWAY_MS} ms, a frame that may be for it is not forwarded, and its sender tries
 * again later: one to a station that is not known, or to a group, as what is behind a port that is
 * away is not known either. Frames between others go on.
 */
public final class NetSwitch {
  /** How long frames wait for a station, at most; a driver's own patience is longer. */
  static final long MOST_AWAY_MS = 4_000;

  /** Shortest frame: a header. */
  static final int LEAST_BYTES = NetDescriptor.ETHERNET_HEADER;

  private final String name;
  private final LongSupplier nanoTime;

  /** Stations that are to come back, and when they are given up; guarded by this. */
  private final Map<Long, Long> away = new HashMap<>();

  private final MacTable table = new MacTable();
  private volatile SwitchPort[] ports = new SwitchPort[0];

  /** A switch without ports. */
  public NetSwitch(final String name) {
    this(name, System::nanoTime);
  }

  NetSwitch(final String name, final LongSupplier nanoTime) {
    this.name = name;
    this.nanoTime = nanoTime;
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

  /** A station is about to take no frames until it has {@link #returned}. */
  synchronized void goesAway(final long station) {
    final long now = nanoTime.getAsLong();
    away.put(station, now + TimeUnit.MILLISECONDS.toNanos(MOST_AWAY_MS));
  }

  /** Those of these stations that are not here are to come. */
  synchronized void await(final Collection<Long> stations) {
    for (final Long station : stations) {
      if (!isHere(station)) {
        goesAway(station);
      }
    }
  }

  /** A station takes frames again, or will never do so. */
  void returned(final long station) {
    final boolean was;
    synchronized (this) {
      was = away.remove(station) != null;
    }
    if (was) {
      for (final SwitchPort port : ports) {
        port.resumed();
      }
    }
  }

  /** The stations that take frames or are to come back, but for one. */
  synchronized List<Long> stationsBut(final long station) {
    final Set<Long> others = new TreeSet<>();
    if (isAnyoneAway()) {
      others.addAll(away.keySet());
    }
    for (final SwitchPort port : ports) {
      others.add(port.station());
    }
    others.remove(SwitchPort.NO_STATION);
    others.remove(station);
    return List.copyOf(others);
  }

  private boolean isHere(final long station) {
    for (final SwitchPort port : ports) {
      if (port.station() == station) {
        return true;
      }
    }
    return false;
  }

  private synchronized boolean isAnyoneAway() {
    if (!away.isEmpty()) {
      final long now = nanoTime.getAsLong();
      away.values().removeIf(until -> now - until >= 0);
    }
    return !away.isEmpty();
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
   * @return false when it is to be forwarded later, after {@link SwitchPort#resumed} or a while
   * @throws IllegalArgumentException when it is shorter
   */
  boolean forward(final SwitchPort from, final Frame frame) {
    if (frame.length < LEAST_BYTES) {
      throw new IllegalArgumentException("a frame of " + frame.length + " bytes has no header");
    }
    final SwitchPort to = look(from, frame.source(), frame.destination());
    if (to == null && isAnyoneAway()) {
      return false;
    }
    boolean done = true;
    if (to != null) {
      done = to == from || to.deliver(frame);
    } else {
      for (final SwitchPort port : ports) {
        done &= port == from || port.deliver(frame);
      }
    }
    return done || !isAnyoneAway();
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
