package io.carom.pcibus;

import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.machine.slot.SlotStore;
import io.carom.pci.InterruptSink;
import io.carom.pci.PciAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The parts of a real machine that a bus needs, and a guest that writes down its interrupts. */
final class MachineParts implements InterruptSink {
  private static final int RAM = 1 << 20;

  final Ram ram = new Ram(RAM, 0);
  final AddressSpaceMap map = new AddressSpaceMap(ram);
  final InterruptRouter router = new InterruptRouter();
  final SlotStore slots = new SlotStore();
  final List<String> interrupts = new CopyOnWriteArrayList<>();
  final List<String> forgotten = new CopyOnWriteArrayList<>();
  final Ports ports;

  MachineParts(final Duration quiesce) {
    ports = new Ports(new BusTarget(ram, new PageStates(RAM, false), map, 0), router, quiesce);
    router.sink(this);
  }

  /** A bus that goes on with what the one before has left. */
  RootBus bus(final BusSettings settings) {
    return new RootBus(map, ports, router, slots.claim(), settings, forgotten::add);
  }

  @Override
  public void message(final long address, final int data) {
    interrupts.add("message " + Long.toHexString(address) + " " + data);
  }

  @Override
  public void line(final PciAddress source, final int pin, final boolean asserted) {
    interrupts.add("line " + source + " " + pin + " " + asserted);
  }
}
