package io.carom.strategies.iommu;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDirection;
import io.carom.dma.ScatterList;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.Zeroing;
import io.carom.strategies.kit.Adversary;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.ProofIommu.Request;
import io.carom.strategies.kit.VirtualTime;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Holes that the original series has, closed here: each fails on what the series does. */
class HoleTest {
  private static final String ALL = "io.carom.strategies.iommu.Case#all";
  private static final String POOLS = "io.carom.strategies.iommu.Case#pools";
  private static final int SECRET = 0x3c;
  private static final int MINE = 0x11;

  /** Lets time pass until something is so: the strategies' ticks have a thread of their own. */
  private static void pass(final VirtualTime time, final BooleanSupplier condition) {
    for (int i = 0; i < 100 && !condition.getAsBoolean(); i++) {
      time.pass(20);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private static void assertAll(
      final World world, final long address, final int size, final int value) {
    Bytes.assertAll(
        world.guest.memory.segment(address, size).toArray(ValueLayout.JAVA_BYTE), value);
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void hole1ADeviceThatWritesNothingLeavesTheBufferAsItWas(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      for (int i = 0; i < 3; i++) { // fresh, and used again
        final long buffer = world.guest.buffer(20_000, MINE);
        final long bus = device.mapped(buffer + 5, 9_000, DmaDirection.FROM_DEVICE);
        device.unmap(bus, 9_000, DmaDirection.FROM_DEVICE);
        assertAll(world, buffer, 20_000, MINE);
        final ScatterList list = new ScatterList(3);
        list.add(buffer + 1, 100);
        list.add(buffer + 8_192, 4_096);
        list.add(buffer + 15_000, 1);
        assertThat(device.dma.mapSg(list, DmaDirection.FROM_DEVICE, 0)).isPositive();
        device.dma.unmapSg(list, DmaDirection.FROM_DEVICE, 0);
        assertAll(world, buffer, 20_000, MINE);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void hole2TheTailOfAnEarlierOwnerIsSeenAsThePolicySays(final Case what) {
    for (final DmaDirection direction :
        new DmaDirection[] {DmaDirection.TO_DEVICE, DmaDirection.BIDIRECTIONAL}) {
      try (World world = what.world()) {
        final Driven device = Case.device(world, "dev");
        final Adversary adversary = new Adversary(world, device);
        final long page = world.guest.buffer(4096, SECRET);
        final long other = world.guest.buffer(4096, MINE);
        final long first = device.mapped(page, 4_000, direction);
        device.unmap(first, 4_000, direction);
        final long second = device.mapped(other + 50, 100, direction);
        assertThat(second & -4096).as("the same slot").isEqualTo(first & -4096);
        assertThat(adversary.finds(SECRET)).isEqualTo(what.zeroing() == Zeroing.NECESSARY_ONLY);
        assertThat(adversary.finds(Guest.POISON)).isFalse();
        device.unmap(second, 100, direction);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void hole3NothingIsLeftAfterUnmapIfAlwaysIsAsked(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      final long page = world.guest.buffer(16_384, SECRET);
      for (final DmaDirection direction :
          new DmaDirection[] {DmaDirection.TO_DEVICE, DmaDirection.BIDIRECTIONAL}) {
        final long bus = device.mapped(page + 7, 10_000, direction);
        assertThat(adversary.finds(SECRET)).isTrue();
        device.unmap(bus, 10_000, direction);
        assertThat(adversary.finds(SECRET)).isEqualTo(what.zeroing() != Zeroing.ALWAYS);
        final ScatterList list = new ScatterList(2);
        list.add(page + 1, 3_000);
        list.add(page + 8_000, 3_000);
        device.dma.mapSg(list, direction, 0);
        device.dma.unmapSg(list, direction, 0);
        assertThat(adversary.finds(SECRET)).isEqualTo(what.zeroing() != Zeroing.ALWAYS);
      }
      assertAll(world, page, 16_384, SECRET);
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void hole6SomeOfManyEvictedSlotsAreLostAndTheOthersServeAgain(final Case what) {
    final VirtualTime time = new VirtualTime();
    final World world = what.world(time, 100, new BounceLimit(1 << 20), List.of());
    try {
      final Driven device = Case.device(world, "dev");
      final long page = world.guest.buffer(4096, MINE);
      final long before = world.guest.usedPages();
      final List<Long> live = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        live.add(device.mapped(page, 100, DmaDirection.TO_DEVICE));
      }
      live.forEach(bus -> device.unmap(bus, 100, DmaDirection.TO_DEVICE));
      world.iommu.refuse((request, number) -> request == Request.UNMAP && number % 3 == 1);
      pass(time, () -> world.guest.usedPages() == before + 4);
      assertThat(world.iommu.refusals(Request.UNMAP)).isEqualTo(4);
      world.iommu.refuse((request, number) -> false);
      time.pass(500);
      assertThat(world.guest.usedPages()).isEqualTo(before + 4);
      final IovaClass slots = SafetyTest.pool(world).classes().getFirst();
      assertThat(slots.leaked()).isEqualTo(4);
      assertThat(slots.evicting()).isZero();
      final List<Long> lost =
          live.stream().filter(bus -> world.iommu.reach("dev", bus, false) >= 0).toList();
      assertThat(lost).hasSize(4);
      for (int round = 0; round < 2; round++) {
        final List<Long> again = new ArrayList<>();
        for (int i = 0; i < 60; i++) { // all the slots of the class but the lost ones
          again.add(device.mapped(page, 100, DmaDirection.TO_DEVICE));
        }
        assertThat(again).doesNotHaveDuplicates().doesNotContainAnyElementsOf(lost);
        again.forEach(bus -> device.unmap(bus, 100, DmaDirection.TO_DEVICE));
      }
      pass(time, () -> world.guest.usedPages() == before + 4);
    } finally {
      time.end();
      world.close();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void hole8SingleUseBuffersAreFoundBySizeAndPermission(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final long size = (600 << 10) + 1; // above the largest class
      final long buffer = world.guest.buffer(1 << 20, MINE);
      for (int i = 0; i < 4; i++) {
        for (final DmaDirection direction : DmaDirection.values()) {
          final long bus = device.mapped(buffer + 9, size, direction);
          for (final long at : new long[] {bus, bus + 300_000, bus + size - 1}) {
            assertThat(world.iommu.reach("dev", at, false) >= 0).isEqualTo(direction.toDevice());
            assertThat(world.iommu.reach("dev", at, true) >= 0).isEqualTo(direction.fromDevice());
          }
          assertThat(new Adversary(world, device).finds(Guest.POISON)).isFalse();
          device.unmap(bus, size, direction);
        }
      }
      assertAll(world, buffer, 1 << 20, MINE);
    }
  }
}
