package io.carom.benchmarks.guest;

import io.carom.guest.PageAllocator;
import io.carom.guest.shim.kernel.RamPageAllocator;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.time.Duration;

/**
 * A machine without a container: 4 GiB of RAM unless told otherwise, of which the host commits what is touched, the
 * guest's page allocator, and bus ports.
 */
public final class BenchMachine {
  private static final long LOW = PhysicalLayout.LOW_RAM_LIMIT;
  private static final long USUAL = 4L << 30;
  private static final byte CONTENT = 0x5a;

  private final AddressSpaceMap map;
  private final InterruptRouter interrupts = new InterruptRouter();
  private final Ports ports;
  private final GuestMemory memory;
  private final PageAllocator pages;

  /** A machine of the usual size. */
  public BenchMachine() {
    this(USUAL);
  }

  /** A machine of so much RAM. */
  public BenchMachine(final long ramBytes) {
    final Ram ram = new Ram(LOW, ramBytes - LOW);
    final PageStates states = new PageStates(ram.size(), false);
    map = new AddressSpaceMap(ram);
    ports =
        new Ports(
            new BusTarget(ram, states, map, 0),
            interrupts,
            Duration.ofSeconds(10));
    memory = new GuestRam(ram, states, 0, ports::quiesceAll);
    pages = new RamPageAllocator(memory);
  }

  /** Its address map, and the system bus. */
  public AddressSpaceMap map() {
    return map;
  }

  /** Its interrupts. */
  public InterruptRouter interrupts() {
    return interrupts;
  }

  /** Its bus ports. */
  public Ports ports() {
    return ports;
  }

  /** Its RAM. */
  public GuestMemory memory() {
    return memory;
  }

  /** The guest's page allocator. */
  public PageAllocator pages() {
    return pages;
  }

  /**
   * Allocates a buffer above 4 GiB and touches it.
   *
   * @return its guest-physical address
   */
  public long buffer(final long bytes) {
    final long count = (bytes + PhysicalLayout.PAGE_SIZE - 1) >> PhysicalLayout.PAGE_SHIFT;
    final long address = pages.allocate(count, PhysicalLayout.PAGE_SIZE, Long.MAX_VALUE);
    if (address == PageAllocator.NONE) {
      throw new IllegalStateException("the bench machine has no " + bytes + " bytes left");
    }
    memory.segment(address, bytes).fill(CONTENT);
    return address;
  }
}
