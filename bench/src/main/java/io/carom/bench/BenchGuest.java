package io.carom.bench;

import io.carom.guest.PageAllocator;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.memory.PhysicalLayout;
import java.time.Duration;

/** A machine's RAM and ports, and an allocator that only ever allocates. */
final class BenchGuest implements PageAllocator {
  private static final long LOW = 256L << 20;
  private static final long HIGH = 128L << 20;

  private final Ram ram = new Ram(LOW, HIGH);
  private final PageStates states = new PageStates(ram.size(), false);
  private long nextLow = PhysicalLayout.PAGE_SIZE;
  private long nextHigh = PhysicalLayout.HIGH_RAM_BASE;

  /** Its ports. */
  final Ports ports =
      new Ports(
          new BusTarget(ram, states, new AddressSpaceMap(ram), 0),
          new InterruptRouter(),
          Duration.ofSeconds(10));

  /** Its memory. */
  final GuestRam memory = new GuestRam(ram, states, 0, ports::quiesceAll);

  BenchGuest() {}

  /** Allocates a buffer above 4 GiB and touches it. */
  long buffer(final long bytes) {
    final long pages = (bytes + PhysicalLayout.PAGE_SIZE - 1) >> PhysicalLayout.PAGE_SHIFT;
    final long address = allocate(pages, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    memory.segment(address, bytes).fill((byte) 0x5a);
    return address;
  }

  @Override
  public synchronized long allocate(final long pages, final long alignBytes, final long limit) {
    final boolean high = limit > PhysicalLayout.HIGH_RAM_BASE;
    final long from = high ? nextHigh : nextLow;
    final long address = (from + alignBytes - 1) & -alignBytes;
    final long end = address + (pages << PhysicalLayout.PAGE_SHIFT);
    if (end > (high ? PhysicalLayout.HIGH_RAM_BASE + HIGH : Math.min(LOW, limit))) {
      return NONE;
    }
    if (high) {
      nextHigh = end;
    } else {
      nextLow = end;
    }
    return address;
  }

  @Override
  public void free(final long address, final long pages) {}
}
