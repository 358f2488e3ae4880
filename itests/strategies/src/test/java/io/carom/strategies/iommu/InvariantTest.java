package io.carom.strategies.iommu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.IovaClass;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.strategies.kit.Adversary;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.ProofIommu.Request;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.VirtualTime;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What holds of the strategies behind an IOMMU, one by one, against a device that tries every
 * address. RAM is handed out poisoned.
 */
class InvariantTest {
  private static final String ALL = "io.carom.strategies.iommu.Case#all";
  private static final String KINDS = "io.carom.strategies.iommu.Case#kinds";
  private static final String POOLS = "io.carom.strategies.iommu.Case#pools";
  private static final int MINE = 0x11;
  private static final int NEIGHBOUR = 0x77;
  private static final int HOSTILE = 0x5a;
  private static final int OFFSET = 0x234;
  private static final int SIZE = 1000;

  private static byte[] bytes(final World world, final long address, final int size) {
    return world.guest.memory.segment(address, size).toArray(ValueLayout.JAVA_BYTE);
  }

  /** A page with a buffer in it, and something else around. */
  private static long page(final World world) {
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

  private static void assertStates(final World world) {
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
    try (World world = what.world()) {
      final Driven device = Case.device(world, "dev");
      final long buffer = world.guest.buffer(1 << 20, MINE);
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
