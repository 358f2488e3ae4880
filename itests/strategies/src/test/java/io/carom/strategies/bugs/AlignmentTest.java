package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bugs of where a bounce buffer may begin, each under the subject of the commit that mended it. */
class AlignmentTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";
  private static final int REGION_KIB = 2048;

  private static void assertMapsAtEveryOffset(
      final World world, final DmaDeviceSpec spec, final int step) {
    final Driven device = world.device(spec);
    final long buffer = world.guest.buffer(96 << 10, 0x31);
    for (int offset = 0; offset < 4096; offset += step) {
      for (final int size : new int[] {1, 100, 2048, 4096, 40_000}) {
        final long bus = device.mapped(buffer + offset, size, DmaDirection.TO_DEVICE);
        assertThat(bus & spec.minAlignMask())
            .as("offset %x size %d", offset, size)
            .isEqualTo((buffer + offset) & spec.minAlignMask());
        final PoolOccupancy.Run run = world.run(bus);
        final long first = World.address(run.busAddress());
        assertThat(first & spec.allocAlignMask()).isZero();
        assertThat((run.slots() << 11) & spec.allocAlignMask()).isZero();
        assertThat(first + (run.slots() << 11)).isGreaterThanOrEqualTo(bus + size);
        assertThat(device.read(bus, 1)[0]).isEqualTo((byte) 0x31);
        assertThat(device.read(bus + size - 1, 1)[0]).isEqualTo((byte) 0x31);
        device.unmap(bus, size, DmaDirection.TO_DEVICE);
      }
    }
    assertThat(world.usedSlots()).isZero(); // pad slots are freed as well
    assertThat(world.info(device).live()).isZero();
  }

  /** 51b30ecb73b4: a granule of 64 KiB and a mask of 4 KiB together always failed. */
  @ParameterizedTest
  @MethodSource(ALL)
  void fixAlignmentChecksWhenBothAllocationAndDmaMasksArePresent(final Subject subject) {
    try (World world = new World(subject)) {
      assertMapsAtEveryOffset(
          world,
          world.spec("dev", REGION_KIB).withMinAlignMask(0xfff).withAllocAlignMask(0xffff),
          0x7f);
    }
  }

  /** af133562d5af: bits between the slot and the granule were not preserved. */
  @ParameterizedTest
  @MethodSource(ALL)
  void extendBufferPrePaddingToAllocAlignMaskIfNecessary(final Subject subject) {
    try (World world = new World(subject)) {
      assertMapsAtEveryOffset(
          world,
          world.spec("dev", REGION_KIB).withMinAlignMask(0xfff).withAllocAlignMask(0xfff),
          0x3f);
    }
  }

  /** The masks alone, and one larger than a page. */
  @ParameterizedTest
  @MethodSource(ALL)
  void everyMaskAtEveryOffset(final Subject subject) {
    try (World world = new World(subject)) {
      int number = 0;
      for (final long min : new long[] {0, 0x1ff, 0x7ff, 0xfff, 0x3fff}) {
        for (final long alloc : new long[] {0, 0x7ff, 0xfff}) {
          assertMapsAtEveryOffset(
              world,
              world
                  .spec("dev" + number++, REGION_KIB)
                  .withMinAlignMask(min)
                  .withAllocAlignMask(alloc),
              0x1fd);
        }
      }
    }
  }

  /** 14cebf689a78: lost by "fix slot alignment checks", which broke what relies on pages. */
  @ParameterizedTest
  @MethodSource(ALL)
  void reinstatePageAlignmentForMappingsOfAPageAndMore(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(96 << 10, 1);
      for (int before = 0; before < 12; before++) {
        final List<Long> small = new ArrayList<>();
        for (int i = 0; i < before; i++) { // so that a hint, or what was freed last, is odd
          small.add(device.mapped(buffer, 700, DmaDirection.TO_DEVICE));
        }
        for (final int size : new int[] {4096, 4097, 6000, 65_536}) {
          final long bus = device.mapped(buffer + 0x123, size, DmaDirection.TO_DEVICE);
          assertThat(bus & 0xfff).as("%d bytes after %d small ones", size, before).isZero();
          device.unmap(bus, size, DmaDirection.TO_DEVICE);
        }
        small.forEach(bus -> device.unmap(bus, 700, DmaDirection.TO_DEVICE));
      }
    }
  }

  /**
   * Open in Linux: a transient pool has no slack, so on a full pool a buffer with bit 11 set cannot
   * be placed under a mask of 4 KiB though there is memory. Whatever a strategy does when it is
   * full must serve every offset alike.
   */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#onRam")
  void openTransientPoolAgainstMinAlignMask(final Subject subject) {
    try (World world = new World(subject, new Guest(32, 64, false, 0), Timing.SYSTEM)) {
      final Driven device = world.device(world.spec("dev", 0).withMinAlignMask(0xfff));
      final long buffer = world.guest.buffer(256 << 10, 1);
      final List<Long> held = new ArrayList<>();
      for (int round = 0; round < 4; round++) {
        // page by page, so that a strategy of the fixed kind ends without a hole
        long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE);
        while (bus != DmaDevice.MAPPING_ERROR && held.size() < 1024 * (round + 1)) {
          held.add(bus);
          bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE);
        }
        if (bus != DmaDevice.MAPPING_ERROR) {
          held.add(bus);
        }
        final boolean any = serves(device, buffer);
        for (final int offset : new int[] {0x800, 0x810, 0xff0, 0xfff, 0x123}) {
          if (any) {
            assertThat(serves(device, buffer + offset)).as("offset %x", offset).isTrue();
          }
        }
      }
      held.forEach(b -> device.unmap(b, 4096, DmaDirection.TO_DEVICE));
      assertThat(world.usedSlots()).isZero();
    }
  }

  /** Whether three mappings at once of 6000 bytes are to be had. */
  private static boolean serves(final Driven device, final long address) {
    final List<Long> held = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      final long bus = device.map(address, 6000, DmaDirection.TO_DEVICE);
      if (bus != DmaDevice.MAPPING_ERROR) {
        assertThat(bus & 0xfff).isEqualTo(address & 0xfff);
        held.add(bus);
      }
    }
    held.forEach(bus -> device.unmap(bus, 6000, DmaDirection.TO_DEVICE));
    return held.size() == 3;
  }

  /** A run never crosses the device's boundary, wherever the search begins. */
  @ParameterizedTest
  @MethodSource(ALL)
  void segmentBoundaryIsKept(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withBoundaryMask(0xffff));
      final long buffer = world.guest.buffer(128 << 10, 1);
      final List<Long> held = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        final int size = 1 + i * 7919 % 65_536;
        final long bus = device.map(buffer, size, DmaDirection.TO_DEVICE);
        if (bus == DmaDevice.MAPPING_ERROR) {
          continue;
        }
        assertThat(bus >> 16).isEqualTo((bus + size - 1) >> 16);
        if (i % 3 == 0) {
          device.unmap(bus, size, DmaDirection.TO_DEVICE);
        } else {
          held.add(bus);
        }
      }
      assertThat(held).hasSizeGreaterThan(10);
      final long whole = device.map(buffer, 65_536, DmaDirection.TO_DEVICE);
      if (whole != DmaDevice.MAPPING_ERROR) {
        assertThat(whole & 0xffff).isZero();
      }
      assertThat(device.map(buffer, 65_537, DmaDirection.TO_DEVICE))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
    }
  }
}
