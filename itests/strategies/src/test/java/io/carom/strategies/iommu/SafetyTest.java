package io.carom.strategies.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.strategies.kit.Adversary;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.VirtualTime;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Safety of the strategies behind an IOMMU, one invariant by another, against a device that tries
 * every address. RAM is handed out poisoned.
 */
class SafetyTest {
  private static final String ALL = "io.carom.strategies.iommu.Case#all";
  private static final String POOLS = "io.carom.strategies.iommu.Case#pools";
  private static final int MINE = 0x11;
  private static final int NEIGHBOUR = 0x77;
  private static final int HOSTILE = 0x5a;
  private static final int OFFSET = 0x234;
  private static final int SIZE = 1000;

  static byte[] bytes(final World world, final long address, final int size) {
    return world.guest.memory.segment(address, size).toArray(ValueLayout.JAVA_BYTE);
  }

  /** A page with a buffer in it, and something else around. */
  static long page(final World world) {
    final long page = world.guest.buffer(4096, NEIGHBOUR);
    world.guest.memory.segment(page + OFFSET, SIZE).fill((byte) MINE);
    return page;
  }

  static IovaPoolInfo pool(final World world) {
    return world.core.iovaPools().stream()
        .filter(p -> p.strategy().equals(Case.NAME))
        .findFirst()
        .orElseThrow();
  }

  private static void assertNeighbours(final World world, final long page) {
    Bytes.assertAll(bytes(world, page, OFFSET), NEIGHBOUR);
    Bytes.assertAll(bytes(world, page + OFFSET + SIZE, 4096 - OFFSET - SIZE), NEIGHBOUR);
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i1NothingIsReachedBeforeAndOnlyTheBufferWhileItIsMapped(final Case what) {
    try (World world = what.world()) {
      final long page = page(world);
      final long other = world.guest.buffer(65536, NEIGHBOUR);
      final BitSet drivers = world.guest.allocated();
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      assertThat(adversary.reached()).isEmpty();
      final long bus = device.mapped(page + OFFSET, SIZE, DmaDirection.BIDIRECTIONAL);
      final BitSet reached = adversary.pages();
      final BitSet pools = world.guest.allocated();
      pools.andNot(drivers);
      if (!what.bounces()) {
        assertThat(reached.get(adversary.number(page))).isTrue();
        pools.set(adversary.number(page));
      }
      reached.andNot(pools);
      assertThat(reached.cardinality()).as("pages that are none of its business").isZero();
      adversary.overwrite(HOSTILE);
      if (what.bounces()) {
        assertNeighbours(world, page);
        Bytes.assertAll(bytes(world, page + OFFSET, SIZE), MINE);
      }
      Bytes.assertAll(bytes(world, other, 65536), NEIGHBOUR);
      device.unmap(bus, SIZE, DmaDirection.BIDIRECTIONAL);
      Bytes.assertAll(bytes(world, page + OFFSET, SIZE), HOSTILE);
      Bytes.assertAll(bytes(world, other, 65536), NEIGHBOUR);
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i2ALateWriteDoesNotReachTheOriginal(final Case what) {
    try (World world = what.world()) {
      final long page = page(world);
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      final long bus = device.mapped(page + OFFSET, SIZE, DmaDirection.BIDIRECTIONAL);
      device.unmap(bus, SIZE, DmaDirection.BIDIRECTIONAL);
      final boolean window = what.lazy() && !what.bounces();
      assertThat(adversary.pages().get(adversary.number(page)))
          .as("the original is reached after unmap")
          .isEqualTo(window);
      if (!window) {
        adversary.overwrite(HOSTILE);
        assertNeighbours(world, page);
        Bytes.assertAll(bytes(world, page + OFFSET, SIZE), MINE);
      }
    }
  }

  @Test
  void i2LazyLetsGoAtTheFlushAndUsesNoAddressAgainBefore() {
    final Case lazy =
        Case.kinds().filter(c -> c.lazy() && !c.untrusted()).findFirst().orElseThrow();
    try (World world = lazy.world()) {
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      final List<Long> used = new ArrayList<>();
      final List<Long> pages = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        final long page = page(world);
        final long bus = device.mapped(page, 4096, DmaDirection.BIDIRECTIONAL);
        assertThat(used).as("addresses that wait for their flush").doesNotContain(bus);
        device.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL);
        used.add(bus);
        pages.add(page);
        if (i > 0) {
          // The next map's request has carried the queued unmap out, which no flush has covered.
          assertThat(adversary.pages().get(adversary.number(pages.get(i - 1)))).isFalse();
        }
      }
      assertThat(adversary.pages().get(adversary.number(pages.getLast()))).isTrue();
      assertThat(pool(world).queued()).isEqualTo(100);
      world.use(device, new Subject("iommu-strict", Case.SUBJECT.extents()));
      assertThat(adversary.reached()).as("behind the flush of the swap").isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource(POOLS)
  void i2EvictionMakesAccessesFault(final Case what) {
    final VirtualTime time = new VirtualTime();
    final World world = what.world(time, 5_000, new BounceLimit(1 << 20), List.of());
    try {
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      final long before = world.guest.usedPages();
      final long page = page(world);
      final long bus = device.mapped(page + OFFSET, SIZE, DmaDirection.FROM_DEVICE);
      device.unmap(bus, SIZE, DmaDirection.FROM_DEVICE);
      assertThat(world.iommu.reach("dev", bus, true)).isNotNegative();
      time.pass(10_100);
      assertThat(world.iommu.reach("dev", bus, true)).isNegative();
      assertThat(adversary.reached()).isEmpty();
      assertThat(world.guest.usedPages()).isEqualTo(before + 1);
    } finally {
      time.end();
      world.close();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i3FreshBuffersShowNoByteOfTheKernel(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final Adversary adversary = new Adversary(world, device);
      for (final int size : new int[] {1, 100, SIZE, 3000}) {
        for (final DmaDirection direction : DmaDirection.values()) {
          final long page = world.guest.buffer(4096, NEIGHBOUR);
          world.guest.memory.segment(page + OFFSET, size).fill((byte) MINE);
          device.mapped(page + OFFSET, size, direction);
        }
      }
      assertThat(adversary.finds(Guest.POISON)).as("stale bytes of the kernel").isFalse();
      if (what.bounces()) {
        assertThat(adversary.finds(NEIGHBOUR)).as("what shares the granule").isFalse();
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i4NoDataOfOneDomainIsSeenInAnother(final Case what) {
    try (World world = what.world()) {
      final Driven first = Case.device(world, "dev1");
      final Driven second = Case.device(world, "dev2");
      final long secret = world.guest.buffer(8192, 0x3c);
      final long bus = first.mapped(secret + 1, 5000, DmaDirection.BIDIRECTIONAL);
      first.unmap(bus, 5000, DmaDirection.BIDIRECTIONAL);
      if (!what.lazy()) {
        world.guest.free(secret, 2); // the secret is in the allocator too
      }
      final long page = page(world);
      second.mapped(page + OFFSET, 100, DmaDirection.BIDIRECTIONAL);
      assertThat(new Adversary(world, second).finds(0x3c)).isFalse();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i5AShortWriteLeavesTheRest(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      for (int round = 0; round < 3; round++) {
        final long page = page(world);
        final long bus = device.mapped(page + OFFSET, SIZE, DmaDirection.FROM_DEVICE);
        device.write(bus, 10, HOSTILE);
        device.unmap(bus, SIZE, DmaDirection.FROM_DEVICE);
        Bytes.assertAll(bytes(world, page + OFFSET, 10), HOSTILE);
        Bytes.assertAll(bytes(world, page + OFFSET + 10, SIZE - 10), MINE);
        assertNeighbours(world, page);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i6PermissionsAreThoseOfTheRequest(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final long page = page(world);
      for (int round = 0; round < 9; round++) {
        final DmaDirection direction = DmaDirection.values()[(round * 2) % 3];
        final long bus = device.mapped(page + OFFSET, SIZE, direction);
        for (final long at : new long[] {bus & -4096, bus, bus + SIZE - 1}) {
          assertThat(world.iommu.reach("dev", at, false) >= 0).isEqualTo(direction.toDevice());
          assertThat(world.iommu.reach("dev", at, true) >= 0).isEqualTo(direction.fromDevice());
        }
        device.unmap(bus, SIZE, direction);
      }
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i7CopyOutIsBeforeReuse(final Case what) throws Exception {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final CyclicBarrier start = new CyclicBarrier(2);
      final AtomicReference<Throwable> failure = new AtomicReference<>();
      final List<Thread> threads = new ArrayList<>();
      for (int number = 1; number <= 2; number++) {
        final int pattern = number;
        final long page = page(world);
        threads.add(
            Thread.ofPlatform()
                .start(
                    () -> {
                      try {
                        start.await();
                        for (int i = 0; i < 2000; i++) {
                          final long bus =
                              device.mapped(page + OFFSET, SIZE, DmaDirection.FROM_DEVICE);
                          device.write(bus, SIZE, pattern + (i & 63) * 2);
                          device.unmap(bus, SIZE, DmaDirection.FROM_DEVICE);
                          Bytes.assertAll(
                              bytes(world, page + OFFSET, SIZE), pattern + (i & 63) * 2);
                        }
                      } catch (final Throwable e) {
                        failure.set(e);
                      }
                    }));
      }
      for (final Thread thread : threads) {
        thread.join();
      }
      assertThat(failure.get()).isNull();
    }
  }

  @ParameterizedTest
  @MethodSource(ALL)
  void i8WrongUseIsToldAndChangesNothing(final Case what) {
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final Driven stranger = Case.device(world, "dev2");
      final long page = page(world);
      final DmaDirection direction = DmaDirection.FROM_DEVICE;
      final long bus = device.mapped(page + OFFSET, SIZE, direction);
      final long gone = device.mapped(page, 100, direction);
      device.unmap(gone, 100, direction);
      World.await(
          () -> pool(world).classes().stream().allMatch(c -> c.evicting() == 0),
          "what is given back is disposed of");
      final DmaDeviceInfo before = world.info(device);
      final List<IovaClass> classes = pool(world).classes();
      refused(() -> device.unmap(gone, 100, direction));
      refused(() -> device.unmap(bus + 1, SIZE - 1, direction));
      refused(() -> device.unmap(bus & -4096, SIZE, direction));
      refused(() -> device.unmap(bus + 4096, SIZE, direction));
      refused(() -> device.unmap(bus, SIZE - 1, direction));
      refused(() -> device.unmap(bus, SIZE, DmaDirection.TO_DEVICE));
      refused(() -> stranger.unmap(bus, SIZE, direction));
      refused(() -> device.unmap(page + OFFSET, SIZE, direction));
      refused(() -> device.dma.syncForCpu(bus, SIZE + 4096, direction));
      refused(() -> device.dma.syncForCpu(gone + (64 << 10), 100, direction));
      assertThat(world.info(device).live()).isEqualTo(1);
      assertThat(world.info(device).unmaps()).isEqualTo(before.unmaps());
      assertThat(pool(world).classes()).isEqualTo(classes);
      device.write(bus, SIZE, HOSTILE);
      device.unmap(bus, SIZE, direction);
      Bytes.assertAll(bytes(world, page + OFFSET, SIZE), HOSTILE);
      refused(() -> device.unmap(bus, SIZE, direction));
      assertThat(world.info(device).live()).isZero();
      assertThat(world.info(device).strategyErrors()).isZero();
    }
  }

  private static void refused(final ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(DmaUsageException.class);
  }
}
