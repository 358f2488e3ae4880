package io.carom.guest.shim.net;

import io.carom.guest.NetworkInterface;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The interfaces of the guest and their names: eth0, eth1, the lowest free first. Thread-safe. */
public final class InterfaceRegistry {
  private final BitSet taken = new BitSet();
  private List<EthInterface> interfaces = List.of();

  /** Without interfaces. */
  public InterfaceRegistry() {}

  synchronized int takeNumber() {
    final int number = taken.nextClearBit(0);
    taken.set(number);
    return number;
  }

  synchronized void add(final EthInterface added) {
    interfaces =
        Stream.concat(interfaces.stream(), Stream.of(added))
            .sorted(Comparator.comparingInt(EthInterface::number))
            .toList();
  }

  synchronized void remove(final EthInterface removed) {
    interfaces = interfaces.stream().filter(other -> other != removed).toList();
    taken.clear(removed.number());
  }

  synchronized List<EthInterface> all() {
    return interfaces;
  }

  /** The interfaces, by name. */
  public List<NetworkInterface> interfaces() {
    return List.copyOf(all());
  }

  /** An interface by its name. */
  Optional<EthInterface> find(final String name) {
    return all().stream().filter(of -> of.name().equals(name)).findFirst();
  }
}
