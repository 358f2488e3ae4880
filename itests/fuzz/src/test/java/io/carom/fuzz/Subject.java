package io.carom.fuzz;

import io.carom.pci.BusAccess;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.transport.WorkerOptions;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import io.carom.virtio.testkit.RingLayout;
import io.carom.virtio.testkit.TestBus;
import io.carom.virtio.testkit.TestDriver;
import io.carom.virtio.testkit.TestMemory;
import io.carom.virtio.testkit.TestRing;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * A device under fuzzing, made once for a JVM: every input begins with a reset and zeroed memory,
 * so that a reset has to bring it back from whatever the one before did.
 *
 * <p>Watches that a device writes nothing but what it asked the bus to write.
 */
final class Subject {
  static final int RAM = 192 << 10;
  static final int QUEUE_SIZE = 32;

  /** Where rings lie, 0x3000 bytes for each queue; requests are behind them. */
  static final long RINGS = 0x1000;

  static final long REQUESTS = 0x20000;

  /** No area of a ring is larger. */
  private static final int AREA = 0x1000;

  private static final int STATUS_BITS =
      VirtioStatus.ACKNOWLEDGE
          | VirtioStatus.DRIVER
          | VirtioStatus.DRIVER_OK
          | VirtioStatus.FEATURES_OK
          | VirtioStatus.SUSPEND
          | VirtioStatus.NEEDS_RESET
          | VirtioStatus.FAILED;

  final TestBus bus = new TestBus(RAM, 0);
  final TestMemory memory = bus.memory();
  final VirtioPciFunction function;
  final TestDriver driver;
  private final MemorySegment before = MemorySegment.ofArray(new byte[RAM]);
  private final BitSet writable = new BitSet(RAM);
  private TestRing[] rings = {};
  private int flipMoment;
  private long flipAddress;
  private long flipValue;

  Subject(final String name, final DeviceType type) {
    final ErrorLog quiet = quiet(name);
    function =
        new VirtioFunctionBuilder(name, type).workers(WorkerOptions.manual()).errors(quiet).build();
    driver = new TestDriver(function, bus, function::processNow);
    bus.watch(
        (number, address, length, access) -> {
          if (access == BusAccess.WRITE) {
            writable.set((int) address, (int) (address + length)); // within RAM: it was resolved
          }
          if (--flipMoment == 0) {
            memory.put64(flipAddress, flipValue);
            writable.set((int) flipAddress, (int) flipAddress + Long.BYTES);
          }
        });
  }

  /** A log that writes nothing but its first line. */
  static ErrorLog quiet(final String name) {
    return new ErrorLog(name, () -> 0);
  }

  /** As after power-on. */
  void begin() {
    driver.status(0);
    require(driver.status() == 0, "a reset is not complete");
    flipMoment = 0;
    rings = new TestRing[0];
    bus.messages().clear();
    bus.busMaster(true);
    memory.ram().fill((byte) 0);
  }

  /** Negotiates what is offered of these features and enables the rings of all queues. */
  TestRing[] start(final RingLayout layout, final long features, final int queues) {
    final long wanted = features | layout.features() | VirtioFeatures.ACCESS_PLATFORM;
    require(driver.negotiate(wanted & driver.offered()), "FEATURES_OK was refused");
    rings = new TestRing[queues];
    for (int i = 0; i < queues; i++) {
      rings[i] = layout.open(memory, QUEUE_SIZE, RINGS + 0x3000L * i);
      driver.enable(i, rings[i]);
    }
    driver.ready();
    require(!driver.needsReset(), "a good start breaks the device");
    return rings;
  }

  /** Rings a doorbell and lets the device work; nothing may be written that was not asked for. */
  void kick(final int queue) {
    writable.clear();
    for (final TestRing ring : rings) {
      // areas that were resolved earlier are written without asking again
      writable.set((int) ring.device(), (int) ring.device() + AREA);
      if (ring.layout() == RingLayout.PACKED) {
        writable.set((int) ring.desc(), (int) ring.desc() + AREA);
      }
    }
    before.copyFrom(memory.ram());
    driver.kick(queue);
    driver.work();
    checkWrites();
    check();
  }

  /** At the device's n-th access from now on, memory changes under its hands. */
  void flip(final int moment, final long address, final long value) {
    flipMoment = moment;
    flipAddress = address;
    flipValue = value;
  }

  private void checkWrites() {
    final MemorySegment now = memory.ram();
    long at = 0;
    while (at < RAM) {
      final long different = MemorySegment.mismatch(before, at, RAM, now, at, RAM);
      if (different < 0) {
        return;
      }
      at += different;
      require(writable.get((int) at), "a byte was written that was not asked for");
      at = Math.max(at + 1, writable.nextClearBit((int) at));
    }
  }

  /** What holds at any time between two accesses of the driver. */
  void check() {
    require(bus.openSections() == 0, "a section is open");
    final int status = driver.status();
    require((status & ~STATUS_BITS) == 0, "unknown status bits");
    require(
        (status & VirtioStatus.FEATURES_OK) == 0 || (status & 3) == 3,
        "FEATURES_OK without ACKNOWLEDGE and DRIVER");
    require(
        (status & VirtioStatus.DRIVER_OK) == 0 || (status & VirtioStatus.FEATURES_OK) != 0,
        "DRIVER_OK without FEATURES_OK");
    final String error = function.info().lastError();
    require(error == null || !error.contains("internal error"), String.valueOf(error));
    require(function.info().restarts() == 0, "its code threw, and was restarted");
  }

  static void require(final boolean holds, final String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
