package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Strategies;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * ddbd89deb7d3: swiotlb: fix info leak with DMA_FROM_DEVICE (CVE-2022-0854), with aa6f8dcbab47,
 * bddac7c1e02b and 901c7280ca0d, which it took to get right. Pools are poisoned, and secrets of one
 * device left in them: none may reach another driver or device.
 */
class InfoLeakTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";
  private static final int REGION_KIB = 1024;
  private static final int SECRET = 0x3c;
  private static final int SIZE = 10_000;

  /** Leaves a secret in as much of a device's pool as there is. */
  private static void leaveSecrets(final World world, final Driven device) {
    final long secret = world.guest.buffer(4096, SECRET);
    final List<Long> mapped = new ArrayList<>();
    while (mapped.size() < 8192) {
      final long bus = device.map(secret, 4096, DmaDirection.TO_DEVICE);
      if (bus == DmaDevice.MAPPING_ERROR) {
        break;
      }
      mapped.add(bus);
    }
    assertThat(mapped).isNotEmpty();
    mapped.forEach(bus -> device.unmap(bus, 4096, DmaDirection.TO_DEVICE));
    world.guest.free(secret, 1);
  }

  private static void assertAll(final MemorySegment memory, final int value) {
    Bytes.assertAll(memory.toArray(ValueLayout.JAVA_BYTE), value);
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void fixInfoLeakWithDmaFromDevice(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      for (final boolean poison : new boolean[] {true, false}) {
        if (poison) {
          world.poisonFree();
        } else {
          leaveSecrets(world, device);
        }
        for (final DmaDirection direction : DmaDirection.values()) {
          final long buffer = world.guest.buffer(SIZE, 0x11);
          final long bus = device.mapped(buffer, SIZE, direction);
          device.unmap(bus, SIZE, direction); // the device wrote nothing at all
          assertAll(world.guest.memory.segment(buffer, SIZE), 0x11);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void aShortWriteLeavesTheRestOfTheBuffer(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      leaveSecrets(world, device);
      for (final int written : new int[] {1, 511, 2048, 2049, 9999}) {
        final long buffer = world.guest.buffer(SIZE, 0x22);
        final long bus = device.mapped(buffer, SIZE, DmaDirection.FROM_DEVICE);
        device.write(bus, written, 0x44);
        device.unmap(bus, SIZE, DmaDirection.FROM_DEVICE);
        assertAll(world.guest.memory.segment(buffer, written), 0x44);
        assertAll(world.guest.memory.segment(buffer + written, SIZE - written), 0x22);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void theDeviceReadsOnlyTheBuffer(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withMinAlignMask(0xfff));
      leaveSecrets(world, device);
      final long buffer = world.guest.buffer(4 * 4096, 0x66);
      for (final DmaDirection direction : DmaDirection.values()) {
        for (final int offset : new int[] {0, 0x123, 0x7ff, 0xabc, 0xfff}) {
          final long bus = device.mapped(buffer + offset, SIZE, direction);
          Bytes.assertAll(device.read(bus, SIZE), 0x66);
          device.unmap(bus, SIZE, direction);
        }
      }
    }
  }

  /** bddac7c1e02b: the rework copied in at sync_for_device of FROM_DEVICE, and lost packets. */
  @ParameterizedTest
  @MethodSource(ALL)
  void syncForDeviceOfFromDeviceDoesNotTouchTheBounceBuffer(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(2048, 0);
      final long bus = device.mapped(buffer, 2048, DmaDirection.FROM_DEVICE);
      // as a receive ring does: look, hand back without having found anything, look again
      device.dma.syncForCpu(bus, 4, DmaDirection.FROM_DEVICE);
      device.write(bus, 2048, 0x55);
      device.dma.syncForDevice(bus, 4, DmaDirection.FROM_DEVICE);
      device.dma.syncForCpu(bus, 2048, DmaDirection.FROM_DEVICE);
      assertAll(world.guest.memory.segment(buffer, 2048), 0x55);
      device.unmap(bus, 2048, DmaDirection.FROM_DEVICE);
    }
  }

  /** Pages that a pool gives back, or gets, carry nothing from one owner to the next. */
  @ParameterizedTest
  @MethodSource(ALL)
  void aNewPoolShowsNothingOfTheOld(final Subject subject) {
    try (World world = new World(subject, new Guest(32, 32, false, 0), Timing.SYSTEM)) {
      final Driven first = world.device("first", REGION_KIB);
      leaveSecrets(world, first);
      for (final Subject other : Strategies.bouncing()) {
        if (other.extents() == subject.extents() && !other.equals(subject)) {
          world.use(first, other);
          final long buffer = world.guest.buffer(SIZE, 0x12);
          final long bus = first.mapped(buffer, SIZE, DmaDirection.BIDIRECTIONAL);
          Bytes.assertAll(first.read(bus, SIZE), 0x12);
          first.unmap(bus, SIZE, DmaDirection.BIDIRECTIONAL);
          assertAll(world.guest.memory.segment(buffer, SIZE), 0x12);
        }
      }
    }
  }
}
