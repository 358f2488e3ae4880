package io.carom.pcibus;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.HotplugDescriptor;
import io.carom.pci.PciAttachment;
import io.carom.pci.PciFunction;
import io.carom.pci.PciFunctionSpec;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Guests that use a function without end while its model, and the bus, are replaced again and
 * again. Each guest has registers, doorbells, vectors and bytes of its own, writes at random, and
 * finds what it wrote last.
 */
@Timeout(600)
class AwayStormTest {
  private static final int GUESTS = 3;
  private static final int REPLACED = 60;
  private static final int REGISTERS = 16; // of each guest
  private static final long BAR0 = 0xC010_0000L;
  private static final long REGION = 0x80_0010_0000L;
  private static final long BAR4 = 0x80_0020_0000L;
  private static final long CONFIG = PhysicalLayout.ECAM_BASE + (4L << 15);
  private static final int INTERRUPT_LINE = 0x3c;
  private static final BusSettings PATIENT =
      new BusSettings(Duration.ofMinutes(30), Duration.ofMinutes(5));

  private final MachineParts machine = new MachineParts(Duration.ofMinutes(5));
  private final MemorySegment region = Arena.ofAuto().allocate(Specs.REGION);
  private final AtomicIntegerArray kept = new AtomicIntegerArray(GUESTS * REGISTERS);
  private volatile boolean enough;
  private final AtomicIntegerArray heard = new AtomicIntegerArray(GUESTS);

  /** A model that keeps its registers as a device does: read when plugged, written when not. */
  private final class Registers implements PciFunction {
    private final AtomicIntegerArray own = new AtomicIntegerArray(GUESTS * REGISTERS);
    private volatile boolean over;

    @Override
    public PciFunctionSpec spec() {
      return Specs.disk(region);
    }

    @Override
    public void plugged(final PciAttachment attachment) {
      for (int i = 0; i < own.length(); i++) {
        own.set(i, kept.get(i));
      }
    }

    @Override
    public void unplugged() {
      over = true;
      for (int i = 0; i < own.length(); i++) {
        kept.set(i, own.get(i));
      }
    }

    @Override
    public long read(final int bar, final long offset, final int width) {
      return Integer.toUnsignedLong(own.get((int) offset / 4));
    }

    @Override
    public void write(final int bar, final long offset, final int width, final long value) {
      if (offset < Specs.BELLS) {
        own.set((int) offset / 4, (int) value);
      } else if (!over) { // a late ring is as good as none
        heard.accumulateAndGet((int) (offset - Specs.BELLS) / 4, (int) value, Math::max);
      }
    }
  }

  /** One guest thread. */
  private final class Guest {
    private final int number;
    private final Random random;
    private final long[] last = new long[REGISTERS];
    private long data = 30;
    private int rung;

    Guest(final int number, final Random random) {
      this.number = number;
      this.random = random;
    }

    void run() {
      while (!enough) {
        step();
      }
    }

    private void step() {
      final int register = random.nextInt(REGISTERS);
      final long address = BAR4 + 4L * (number * REGISTERS + register);
      switch (random.nextInt(7)) {
        case 0 -> {
          last[register] = random.nextInt() & 0xffff_ffffL;
          machine.map.write(address, 4, last[register]);
        }
        case 1 -> assertThat(machine.map.read(address, 4)).isEqualTo(last[register]);
        case 2 -> machine.map.write(BAR4 + Specs.BELLS + 4L * number, 4, ++rung);
        case 3 -> {
          data = random.nextInt(1 << 16);
          machine.map.write(BAR0 + 16L * number + 8, 4, data);
        }
        case 4 -> assertThat(machine.map.read(BAR0 + 16L * number + 8, 4)).isEqualTo(data);
        case 5 -> {
          final long address2 = REGION + 0x1000L * number;
          machine.map.write(address2, 8, rung);
          assertThat(machine.map.read(address2, 8)).isEqualTo(rung);
        }
        default -> config();
      }
    }

    private void config() {
      assertThat(machine.map.read(CONFIG, 4)).isEqualTo(0x1042_1af4L);
      assertThat(machine.map.read(CONFIG + 0x18, 8)).isEqualTo(REGION | 0xc);
      if (number == 0) {
        final int line = random.nextInt(0x100);
        machine.map.write(CONFIG + INTERRUPT_LINE, 1, line);
        assertThat(machine.map.read(CONFIG + INTERRUPT_LINE, 1)).isEqualTo(line);
      }
      final long events = PhysicalLayout.HOTPLUG_BASE + HotplugDescriptor.GONE;
      assertThat(machine.map.read(events, 4)).isZero();
    }
  }

  @Test
  @DisplayName("N4 pci-bus: accesses while models and buses are replaced find what was written")
  void n4_guestsFindWhatTheyWrote() throws Exception {
    final Random random = Seed.random("AwayStormTest");
    RootBus bus = machine.bus(PATIENT);
    Registers model = new Registers();
    bus.plug(model, "vda", "00:04.0", true);
    machine.map.write(CONFIG + 0x10, 4, BAR0);
    machine.map.write(CONFIG + 0x18, 8, REGION);
    machine.map.write(CONFIG + 0x20, 8, BAR4);
    machine.map.write(CONFIG + 4, 2, 6);
    for (int vector = 0; vector < GUESTS; vector++) {
      machine.map.write(BAR0 + 16L * vector + 8, 4, 30);
    }
    final List<Guest> guests = new ArrayList<>();
    final List<CompletableFuture<Void>> runs = new ArrayList<>();
    for (int i = 0; i < GUESTS; i++) {
      final Guest guest = new Guest(i, new Random(random.nextLong()));
      guests.add(guest);
      runs.add(CompletableFuture.runAsync(guest::run, task -> new Thread(task).start()));
    }
    for (int i = 0; i < REPLACED; i++) {
      final boolean wholeBus = random.nextBoolean();
      if (wholeBus) {
        bus.close();
      } else {
        bus.unplug(model);
      }
      LockSupport.parkNanos(random.nextInt(2_000_000));
      if (wholeBus) {
        bus = machine.bus(PATIENT);
        LockSupport.parkNanos(random.nextInt(1_000_000));
      }
      model = new Registers();
      bus.plug(model, "vda", "00:04.0", true);
      LockSupport.parkNanos(random.nextInt(3_000_000));
    }
    enough = true;
    for (final CompletableFuture<Void> run : runs) {
      run.get(300, TimeUnit.SECONDS);
    }
    for (final Guest guest : guests) {
      for (int i = 0; i < REGISTERS; i++) {
        assertThat(machine.map.read(BAR4 + 4L * (guest.number * REGISTERS + i), 4))
            .isEqualTo(guest.last[i]);
      }
      assertThat(heard.get(guest.number)).as("the last doorbell").isEqualTo(guest.rung);
    }
    assertThat(machine.forgotten).isEmpty();
    bus.close();
  }

  @Test
  void comingBackMeetsTheDeadlineTheGuestAndTheEndOfTheBus() throws Exception {
    final Random random = Seed.random("AwayStormTest races");
    for (int round = 0; round < 150; round++) {
      final MachineParts parts = new MachineParts(Duration.ofMinutes(5));
      final RootBus bus =
          parts.bus(
              new BusSettings(Duration.ofMillis(1 + random.nextInt(4)), Duration.ofMinutes(5)));
      final FakeFunction first = new FakeFunction(Specs.disk(region));
      final FakeFunction second = new FakeFunction(Specs.disk(region));
      bus.plug(first, "vda", "00:04.0", true);
      final int rival = random.nextInt(3);
      final int pause = random.nextInt(4_000_000);
      final CompletableFuture<Void> other =
          CompletableFuture.runAsync(
              () -> {
                LockSupport.parkNanos(pause);
                if (rival == 1) {
                  parts.map.write(PhysicalLayout.HOTPLUG_BASE + HotplugDescriptor.EJECT, 4, 1 << 4);
                } else if (rival == 2) {
                  bus.close();
                } // else the deadline alone
              },
              task -> new Thread(task).start());
      bus.unplug(first);
      LockSupport.parkNanos(random.nextInt(4_000_000));
      bus.plug(second, "vda", "00:04.0", true);
      if (rival != 2) { // the bus is there: the second is plugged or was let go by the guest
        other.get(300, TimeUnit.SECONDS);
        final boolean there = !bus.functions().isEmpty();
        assertThat(second.attachment != null).isEqualTo(there);
        assertThat(there || rival == 1).isTrue();
        bus.close();
      }
      other.get(300, TimeUnit.SECONDS);
      assertThat(first.calls.stream().filter("unplugged"::equals)).hasSize(1);
      assertThat(second.calls.stream().filter("unplugged"::equals))
          .hasSameSizeAs(second.calls.stream().filter("plugged 00:04.0"::equals).toList());
      assertThat(second.attachment).isNull();
      parts.ports.create("00:04.0").close(); // no port is left open
    }
  }
}
