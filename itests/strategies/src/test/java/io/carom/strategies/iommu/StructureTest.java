package io.carom.strategies.iommu;

import static io.carom.strategies.iommu.SafetyTest.bytes;
import static io.carom.strategies.iommu.SafetyTest.page;
import static io.carom.strategies.iommu.SafetyTest.pool;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.ProofIommu.Request;
import io.carom.strategies.kit.VirtualTime;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Structure of the strategies behind an IOMMU, one invariant by another: slots, mappings, eviction,
 * and what is left when something fails.
 */
class StructureTest {
  private static final String ALL = "io.carom.strategies.iommu.Case#all";
  private static final String KINDS = "io.carom.strategies.iommu.Case#kinds";
  private static final String POOLS = "io.carom.strategies.iommu.Case#pools";
  private static final int MINE = 0x11;
  private static final int OFFSET = 0x234;
  private static final int SIZE = 1000;

  static void assertStates(final World world) {
    for (final IovaClass c : pool(world).classes()) {
      assertThat(
              c.untouched()
                  + c.empty()
                  + c.inFlight()
                  + c.cachedRead()
                  + c.cachedWrite()
                  + c.cachedReadWrite()
                  + c.evicting()
                  + c.leaked())
          .as("states of %s", c)
          .isEqualTo(c.slots());
    }
  }

  private static long held(final World world) {
    return pool(world).classes().stream()
        .mapToLong(
            c ->
                c.inFlight()
                    + c.cachedRead()
                    + c.cachedWrite()
                    + c.cachedReadWrite()
                    + c.evicting()
                    + c.leaked())
        .sum();
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i9i11i12SlotsHaveOneStateAndAreMappedWholeAndOnce(final Case what) {
    // A map that finds its stripe at its tick goes to the other one, and has a slot made there: so
    // nothing ticks here.
    final VirtualTime time = new VirtualTime();
    final World world = what.world(time);
    try {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(1 << 20, MINE);
      World.await(time::quiet, "the core's threads wait");
      world.iommu.refuse((request, number) -> false);
      for (int round = 0; round < 4; round++) {
        final List<Long> live = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          for (final DmaDirection direction : DmaDirection.values()) {
            live.add(device.mapped(buffer + OFFSET, (3000L << i) - OFFSET, direction));
          }
        }
        assertStates(world);
        assertThat(mappings(world)).isEqualTo(held(world)).isEqualTo(24);
        for (int k = 0; k < live.size(); k++) {
          final int sizeClass = k / 3;
          final long slot = 4096L << sizeClass;
          final long iova = live.get(k) & -slot; // does not cross a multiple of its size
          assertThat(live.get(k) & 4095).isEqualTo(OFFSET);
          for (long at = iova; at < iova + slot; at += 4096) {
            assertThat(
                    world.iommu.reach("dev", at, false) >= 0
                        || world.iommu.reach("dev", at, true) >= 0)
                .isTrue();
          }
          device.unmap(live.get(k), (3000L << sizeClass) - OFFSET, DmaDirection.values()[k % 3]);
        }
        assertStates(world);
        assertThat(mappings(world)).isEqualTo(held(world)).isEqualTo(24);
        assertThat(world.iommu.asked(Request.UNMAP)).isZero();
        if (round == 0) {
          world.iommu.refuse((request, number) -> false); // from now on nothing is asked
        } else {
          assertThat(world.iommu.asked(Request.MAP)).isZero();
        }
      }
    } finally {
      time.end();
      world.close();
    }
  }

  /** Extents of a domain: runs of pages that lie side by side are one mapping each, so by slot. */
  private static long mappings(final World world) {
    long bytes = 0;
    for (final IovaClass c : pool(world).classes()) {
      final long slots =
          c.inFlight() + c.cachedRead() + c.cachedWrite() + c.cachedReadWrite() + c.evicting();
      bytes += c.bytes() * (slots + c.leaked());
    }
    assertThat(Objects.requireNonNull(world.iommu.of("dev")).bytes()).isEqualTo(bytes);
    assertThat(pool(world).pagesHeld() * 4096).isEqualTo(bytes);
    return held(world);
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i10EachAddressOfABufferIsItsSlots(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(64 << 10, MINE);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final long bus = device.mapped(buffer + OFFSET, 20_000, direction);
      world.guest.memory.segment(buffer + OFFSET, 20_000).fill((byte) 0x42);
      for (int at = 0; at < 20_000; at += 777) {
        device.dma.syncForDevice(bus + at, 1, direction);
        Bytes.assertAll(device.read(bus + at, 1), 0x42);
        Bytes.assertAll(device.read(bus + at + 1, 1), MINE);
      }
      device.unmap(bus, 20_000, direction);
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i13i18IdleBuffersGoAfterOneToTwoPeriodsAndUsedOnesStay(final Case what) {
    final VirtualTime time = new VirtualTime();
    final World world = what.world(time, 5_000, new BounceLimit(1 << 20), List.of());
    try {
      final Driven device = Case.device(world, "dev");
      final long page = page(world);
      final long before = world.guest.usedPages();
      final DmaDirection direction = DmaDirection.TO_DEVICE;
      long bus = device.mapped(page + OFFSET, SIZE, direction);
      assertThat(world.guest.usedPages())
          .as("nothing is allocated in advance")
          .isEqualTo(before + 1);
      device.unmap(bus, SIZE, direction);
      for (int i = 0; i < 5; i++) {
        time.pass(4_000);
        final long again = device.mapped(page + OFFSET, SIZE, direction);
        assertThat(again).as("a buffer that is used is not evicted").isEqualTo(bus);
        device.unmap(again, SIZE, direction);
        bus = again;
      }
      time.pass(4_900);
      assertThat(world.iommu.reach("dev", bus, false)).as("before 5 s").isNotNegative();
      time.pass(5_200);
      assertThat(world.iommu.reach("dev", bus, false)).as("after 10 s").isNegative();
      assertThat(world.guest.usedPages()).isEqualTo(before);
      assertThat(pool(world).pagesHeld()).isZero();
      assertThat(Objects.requireNonNull(world.iommu.of("dev")).mappings()).isZero();
    } finally {
      time.end();
      world.close();
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i14ThePoolTakesHalfOfWhatTheFirstDeviceReachesAtMost(final Case what) {
    try (World world =
        what.world(
            Timing.SYSTEM, Case.LONG_MS, new BounceLimit(1 << 20), List.of(Set.of("a", "b")))) {
      final long mask = (1L << 26) - 1; // 64 MiB, of which 16 are RAM
      final Driven narrow = world.device(DmaDeviceSpec.of("a", null).withDmaMask(mask));
      final Driven wide = world.device(DmaDeviceSpec.of("b", null));
      final long page = page(world);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final long low = narrow.mapped(page + OFFSET, SIZE, direction);
      assertThat(low).isBetween(16L << 20, mask);
      final long slots = pool(world).classes().getFirst().slots();
      assertThat(slots * 255 * 4096).isLessThanOrEqualTo(1L << 25);
      final long other = wide.mapped(page + OFFSET, SIZE, direction);
      narrow.unmap(low, SIZE, direction);
      wide.unmap(other, SIZE, direction);
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i14ADeviceThatReachesLessThanThePoolGetsItsBuffersBelowItsMask(final Case what) {
    try (World world =
        what.world(
            Timing.SYSTEM, Case.LONG_MS, new BounceLimit(1 << 20), List.of(Set.of("a", "b")))) {
      final long mask = (1L << 26) - 1;
      final Driven wide = world.device(DmaDeviceSpec.of("a", null));
      final Driven narrow = world.device(DmaDeviceSpec.of("b", null).withDmaMask(mask));
      final long page = page(world);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final long high = wide.mapped(page + OFFSET, SIZE, direction);
      assertThat(high).isGreaterThan(mask);
      wide.unmap(high, SIZE, direction);
      for (int i = 0; i < 20; i++) {
        final long low = narrow.mapped(page + OFFSET, SIZE, direction);
        assertThat(low + SIZE - 1).isLessThanOrEqualTo(mask);
        narrow.unmap(low, SIZE, direction);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i15ExhaustionFallsBackOrFailsAndAllIsAsBefore(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(8 << 20, MINE);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final List<Long> live = new ArrayList<>();
      final long size = (400 << 10) + 1;
      while (live.size() < 300) { // more than there are slots, and than RAM has room for bounces
        final long bus = device.map(buffer + OFFSET, size, direction);
        if (bus == DmaDevice.MAPPING_ERROR) {
          break;
        }
        live.add(bus);
      }
      if (what.untrusted()) {
        assertThat(live.size()).as("what must be bounced fails in the end").isLessThan(300);
      } else {
        assertThat(live).as("what need not be bounced is remapped").hasSize(300);
      }
      live.forEach(bus -> device.unmap(bus, size, direction));
      final long again = device.mapped(buffer + OFFSET, size, direction);
      device.unmap(again, size, direction);
      assertThat(world.info(device).live()).isZero();
      assertThat(world.info(device).strategyErrors()).isZero();
      Bytes.assertAll(bytes(world, buffer, 8 << 20), MINE);
      if (what.pool()) {
        assertStates(world);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(KINDS)
  void i16WhatIsNotUnmappedIsLostAndCounted(final Case what) {
    final VirtualTime time = new VirtualTime();
    final World world = what.world(time, 100, new BounceLimit(1 << 20), List.of());
    try {
      final Driven device = Case.device(world, "dev");
      final long page = page(world);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final long before = world.guest.usedPages();
      world.iommu.refuse((request, number) -> request == Request.UNMAP);
      final long bus = device.mapped(page + OFFSET, SIZE, direction);
      device.unmap(bus, SIZE, direction);
      time.pass(1_000);
      assertThat(world.iommu.reach("dev", bus, true)).as("it is still mapped").isNotNegative();
      world.iommu.refuse((request, number) -> false);
      time.pass(1_000);
      for (int i = 0; i < 300; i++) {
        final long other = device.mapped(page + OFFSET, SIZE, direction);
        if (!(what.lazy() && !what.bounces())) {
          assertThat(other).as("its address is not used again").isNotEqualTo(bus);
        }
        device.unmap(other, SIZE, direction);
      }
      time.pass(1_000);
      if (what.lazy() && !what.bounces()) {
        return; // its unmap was never tried: the queue of this case is flushed by hand
      }
      assertThat(pool(world).leakedBytes()).isEqualTo(4096);
      assertThat(world.iommu.reach("dev", bus, true)).isNotNegative();
      assertThat(world.guest.usedPages())
          .as("its pages")
          .isEqualTo(before + (what.bounces() ? 1 : 0));
    } finally {
      time.end();
      world.close();
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i17AChangedLimitHoldsForNewMaps(final Case what) {
    final BounceLimit limit = new BounceLimit(4096);
    try (World world = what.world(Timing.SYSTEM, Case.LONG_MS, limit, List.of())) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(64 << 10, MINE);
      final DmaDirection direction = DmaDirection.BIDIRECTIONAL;
      final long direct = device.mapped(buffer, 8192, direction);
      assertThat(world.iommu.reach("dev", direct, false)).isEqualTo(buffer);
      limit.set(8192);
      final long bounced = device.mapped(buffer, 8192, direction);
      assertThat(world.iommu.reach("dev", bounced, false)).isNotEqualTo(buffer);
      assertThat(world.iommu.reach("dev", direct, false)).isEqualTo(buffer);
      limit.set(0);
      device.unmap(direct, 8192, direction);
      device.unmap(bounced, 8192, direction);
      final long small = device.mapped(buffer, 4096, direction);
      assertThat(world.iommu.reach("dev", small, false)).isEqualTo(buffer);
      device.unmap(small, 4096, direction);
    }
  }
}
