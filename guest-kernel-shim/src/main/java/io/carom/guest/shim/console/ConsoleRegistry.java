package io.carom.guest.shim.console;

import io.carom.guest.GuestConsole;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/** The consoles and ports of the guest, and the numbers in their names. Thread-safe. */
public final class ConsoleRegistry {
  /** Consoles are named hvc, other ports vport: they stand first by that alone. */
  private static final Comparator<GuestPort> BY_NAME = Comparator.comparing(GuestPort::name);

  private final BitSet consoles = new BitSet();
  private final BitSet devices = new BitSet();
  private final List<GuestPort> ports = new ArrayList<>();

  /** Without ports. */
  public ConsoleRegistry() {}

  synchronized int takeConsole() {
    return take(consoles);
  }

  synchronized void releaseConsole(final int number) {
    consoles.clear(number);
  }

  synchronized int takeDevice() {
    return take(devices);
  }

  synchronized void releaseDevice(final int number) {
    devices.clear(number);
  }

  private static int take(final BitSet taken) {
    final int number = taken.nextClearBit(0);
    taken.set(number);
    return number;
  }

  synchronized void add(final GuestPort port) {
    ports.add(port);
    ports.sort(BY_NAME);
  }

  synchronized void remove(final GuestPort port) {
    ports.remove(port);
  }

  /** The ports, consoles first, then by name. */
  public synchronized List<GuestConsole> ports() {
    return List.copyOf(ports);
  }
}
