package io.carom.strategies.kit;

import io.carom.guest.PageAllocator;
import io.carom.machine.bus.AddressSpaceMap;
import io.carom.machine.bus.InterruptRouter;
import io.carom.machine.platform.PlatformSettings;
import io.carom.machine.platform.StagedPlatform;
import io.carom.machine.port.BusTarget;
import io.carom.machine.port.Ports;
import io.carom.machine.ram.GuestRam;
import io.carom.machine.ram.PageStates;
import io.carom.machine.ram.Ram;
import io.carom.memory.PhysicalLayout;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * A guest: the machine's real RAM, page states and bus ports, and a page allocator that is strict
 * (what is freed must have been allocated, and be private again in a confidential guest), that
 * poisons what it hands out, and that can be told to fail. Thread-safe.
 */
public final class Guest implements PageAllocator {
  /** What pages hold when they are handed out: nobody wrote it, so nobody may read it. */
  public static final byte POISON = (byte) 0xdb;

  private static final long PAGE = PhysicalLayout.PAGE_SIZE;

  private final long low;
  private final Map<Long, Long> runs = new HashMap<>();
  private long usedPages;
  private long failures;
  private volatile boolean failing;
  private volatile Freed watch = (address, bytes) -> {};

  /** Its memory. */
  public final GuestRam memory;

  /** What lies between its CPUs and devices. */
  public final StagedPlatform platform;

  /** The ways of its devices to memory. */
  public final Ports ports;

  /**
   * A guest.
   *
   * @param lowMib RAM below 4 GiB, in MiB
   * @param highMib RAM above, in MiB
   * @param busOffset what a device adds to an address of RAM; whole slot sets
   */
  public Guest(
      final int lowMib, final int highMib, final boolean confidential, final long busOffset) {
    this(lowMib, highMib, confidential, PlatformSettings.plain(busOffset));
  }

  /**
   * A guest behind stages.
   *
   * @param lowMib RAM below 4 GiB, in MiB
   * @param highMib RAM above, in MiB
   */
  public Guest(
      final int lowMib,
      final int highMib,
      final boolean confidential,
      final PlatformSettings settings) {
    low = (long) lowMib << 20;
    final Ram ram = new Ram(low, (long) highMib << 20);
    final PageStates states = new PageStates(ram.size(), confidential);
    platform = StagedPlatform.of(ram, settings);
    ports =
        new Ports(
            new BusTarget(ram, states, new AddressSpaceMap(ram), platform),
            new InterruptRouter(),
            Duration.ofSeconds(10));
    memory = new GuestRam(ram, states, platform, ports::quiesceAll);
    memory.pageMap().claim(1, 1, 0, low); // page 0 is never handed out
  }

  /** Sees pages before they go back to the allocator. */
  @FunctionalInterface
  public interface Freed {
    /** A run that nobody may reach any more. */
    void pages(long address, long bytes);
  }

  /** Has someone look at all that is freed. */
  public void watch(final Freed value) {
    watch = value;
  }

  /** The pages that are allocated, by number in RAM. */
  public synchronized BitSet allocated() {
    final BitSet result = new BitSet();
    runs.forEach(
        (address, pages) -> {
          final int first = (int) (memory.offset(address) / PAGE);
          result.set(first, first + (int) (long) pages);
        });
    return result;
  }

  /** Makes every allocation fail from now on, or no longer. */
  public void failing(final boolean fails) {
    failing = fails;
  }

  /** Allocations that failed. */
  public synchronized long failures() {
    return failures;
  }

  /** Pages allocated now. */
  public synchronized long usedPages() {
    return usedPages;
  }

  @Override
  public long allocate(final long pages, final long alignBytes, final long limit) {
    final long found = failing ? NONE : claim(pages, alignBytes / PAGE, limit);
    synchronized (this) {
      if (found == NONE) {
        failures++;
        return NONE;
      }
      runs.put(found, pages);
      usedPages += pages;
    }
    memory.segment(found, pages * PAGE).fill(POISON);
    return found;
  }

  private long claim(final long pages, final long alignPages, final long limit) {
    if (limit > PhysicalLayout.HIGH_RAM_BASE) {
      final long high =
          memory.pageMap().claim(pages, alignPages, PhysicalLayout.HIGH_RAM_BASE, limit);
      if (high >= 0) {
        return high;
      }
    }
    return memory.pageMap().claim(pages, alignPages, 0, Math.min(low, limit));
  }

  @Override
  public void free(final long address, final long pages) {
    watch.pages(address, pages * PAGE);
    synchronized (this) {
      final Long allocated = runs.remove(address);
      if (allocated == null || allocated != pages) {
        throw new IllegalStateException(
            pages + " pages freed at 0x" + Long.toHexString(address) + ", allocated: " + allocated);
      }
      usedPages -= pages;
    }
    for (long page = 0; memory.confidential() && page < pages; page++) {
      if (memory.shared(address + page * PAGE)) {
        throw new IllegalStateException(
            "page at 0x" + Long.toHexString(address + page * PAGE) + " freed while shared");
      }
    }
    memory.pageMap().release(address, pages);
  }

  /** Allocates a buffer of the driver, above 4 GiB if there is room, filled with a byte. */
  public long buffer(final long bytes, final int fill) {
    final long address = allocate((bytes + PAGE - 1) / PAGE, PAGE, Long.MAX_VALUE);
    if (address == NONE) {
      throw new IllegalStateException("the test's guest has no " + bytes + " bytes left");
    }
    memory.segment(address, bytes).fill((byte) fill);
    return address;
  }
}
