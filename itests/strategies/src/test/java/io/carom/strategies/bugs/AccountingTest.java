package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.ScatterList;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bugs of counting, owning and giving back, each under the subject of its commit. */
class AccountingTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";
  private static final String ON_RAM = "io.carom.strategies.kit.Strategies#onRam";
  private static final int REGION_KIB = 2048;
  private static final int SMALL_RAM_MIB = 32;
  private static final int MOST = 8192;

  private static World small(final Subject subject, final boolean confidential, final long offset) {
    return new World(subject, new Guest(SMALL_RAM_MIB, 64, confidential, offset), Timing.SYSTEM);
  }

  /** Maps until no more is to be had, or enough is. */
  private static List<Long> fill(final Driven device, final long buffer, final int size) {
    return fill(device, buffer, size, 0);
  }

  private static List<Long> fill(
      final Driven device, final long buffer, final int size, final int attributes) {
    final List<Long> held = new ArrayList<>();
    while (held.size() < MOST) {
      final long bus = device.dma.map(buffer, size, DmaDirection.BIDIRECTIONAL, attributes);
      if (bus == DmaDevice.MAPPING_ERROR) {
        break;
      }
      held.add(bus);
    }
    return held;
  }

  private static void unmapAll(final Driven device, final List<Long> held, final int size) {
    held.forEach(bus -> device.unmap(bus, size, DmaDirection.BIDIRECTIONAL));
    held.clear();
  }

  /**
   * 8ac04063354a: with more areas than slot sets, two locks guarded one set. 64 threads on a pool
   * of 4 MiB: no two ever hold the same bytes.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void reduceTheNumberOfAreasToMatchActualMemoryPoolSize(final Subject subject) throws Exception {
    try (World world = small(subject, false, 0)) {
      hammer(world, world.device("dev", 4096), 64, 60);
    }
  }

  @Test
  void moreAreasThanSlotSets() throws Exception {
    final Subject many = new Subject("many-areas", ExtentKind.RAM);
    try (World world = small(new Subject("direct", null), false, 0)) {
      world.add(
          many.strategy(), new FixedStrategy(new FixedSettings(2048, 64, Fitting.AUTO)), 1000);
      final Driven device = world.device("dev", 0);
      world.use(device, many);
      final PoolInfo pool = world.pool(device);
      assertThat(pool).isNotNull();
      assertThat(pool.io_tlb_nslabs()).isEqualTo(2048);
      assertThat(pool.areas()).isLessThanOrEqualTo(16); // of 128 slots each
      hammer(world, device, 64, 60);
    }
  }

  private static void hammer(
      final World world, final Driven device, final int threads, final int rounds)
      throws InterruptedException {
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final List<Thread> started = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      final int mine = t + 1;
      final long buffer = world.guest.buffer(16 << 10, mine);
      started.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      hammerAlone(world, device, buffer, mine, rounds);
                    } catch (final Throwable e) {
                      failure.compareAndSet(null, e);
                    }
                  }));
    }
    for (final Thread thread : started) {
      thread.join();
    }
    assertThat(failure.get()).isNull();
    assertThat(world.usedSlots()).isZero();
    assertThat(world.info(device).live()).isZero();
    assertThat(world.info(device).maps()).isEqualTo(world.info(device).unmaps());
  }

  private static void hammerAlone(
      final World world, final Driven device, final long buffer, final int mine, final int rounds) {
    for (int i = 0; i < rounds; i++) {
      final int size = 1 + (i * 997 + mine * 331) % (16 << 10);
      final long bus = device.map(buffer, size, DmaDirection.BIDIRECTIONAL);
      if (bus == DmaDevice.MAPPING_ERROR) {
        continue;
      }
      Bytes.assertAll(device.read(bus, size), mine);
      device.write(bus, size, mine + 64);
      Thread.yield();
      Bytes.assertAll(device.read(bus, size), mine + 64);
      device.unmap(bus, size, DmaDirection.BIDIRECTIONAL);
      Bytes.assertAll(
          world.guest.memory.segment(buffer, size).toArray(ValueLayout.JAVA_BYTE), mine + 64);
      world.guest.memory.segment(buffer, size).fill((byte) mine);
    }
  }

  /** a1255ccab8ec: setting a statistic up late made it 2^64-1. Nothing done late loses a count. */
  @ParameterizedTest
  @MethodSource(ALL)
  void doNotSetTotalUsedToZero(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", REGION_KIB);
      final long buffer = world.guest.buffer(4096, 1);
      final List<Long> held = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        held.add(device.mapped(buffer, 4096, DmaDirection.BIDIRECTIONAL));
      }
      final long used = world.usedSlots();
      assertThat(used).isGreaterThanOrEqualTo(20);
      world.core.resetHiwater(null);
      assertThat(world.usedSlots()).isEqualTo(used);
      assertThat(world.info(device).io_tlb_used()).isEqualTo(used);
      assertThat(world.info(device).io_tlb_used_hiwater()).isGreaterThanOrEqualTo(used);
      world.use(device, new Subject("direct", null)); // outlived by all ten
      assertThat(world.usedSlots()).isEqualTo(used);
      assertThat(world.info(device).live()).isEqualTo(10);
      unmapAll(device, held, 4096);
      assertThat(world.usedSlots()).isZero();
      assertThat(world.info(device).io_tlb_used()).isZero();
      assertThat(world.info(device).maps()).isEqualTo(10);
      assertThat(world.info(device).unmaps()).isEqualTo(10);
    }
  }

  /**
   * 53c87e846e33: a transient pool smaller than a slot set said that it had 128 slots, and the
   * second mapping in it lay outside. Whatever is handed out when the pool is full lies in an
   * extent of its own pool, and no two overlap.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void fixOutOfBoundsTlbAllocations(final Subject subject) {
    try (World world = small(subject, false, 0)) {
      final Driven device = world.device("dev", 1024);
      final long buffer = world.guest.buffer(64 << 10, 1);
      final List<Long> full = fill(device, buffer, 32 << 10);
      final List<Long> small = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        final long bus = device.map(buffer, 6000, DmaDirection.BIDIRECTIONAL);
        if (bus != DmaDevice.MAPPING_ERROR) {
          small.add(bus);
        }
      }
      assertOwnRuns(world);
      unmapAll(device, small, 6000);
      unmapAll(device, full, 32 << 10);
      assertThat(world.usedSlots()).isZero();
    }
  }

  private record Range(long first, long end, String pool, String use) {
    static Range of(final PoolOccupancy pool, final PoolOccupancy.Run run) {
      final long first = World.address(run.busAddress());
      return new Range(first, first + (run.slots() << 11), pool.pool(), run.use());
    }
  }

  /** Every run lies in an extent of its pool, no two extents meet, no two runs meet. */
  private static void assertOwnRuns(final World world) {
    final List<Range> extents = new ArrayList<>();
    final List<Range> runs = new ArrayList<>();
    for (final PoolOccupancy pool : world.occupancies()) {
      final List<Range> own = pool.extents().stream().map(e -> Range.of(pool, e)).toList();
      for (final PoolOccupancy.Run each : pool.runs()) {
        final Range run = Range.of(pool, each);
        assertThat(own).anyMatch(e -> e.first <= run.first && run.end <= e.end);
        runs.add(run);
      }
      extents.addAll(own);
    }
    for (final List<Range> list : List.of(extents, runs)) {
      list.sort(Comparator.comparingLong(Range::first));
      for (int i = 1; i < list.size(); i++) {
        assertThat(list.get(i).first)
            .as("%s after %s", list.get(i), list.get(i - 1))
            .isGreaterThanOrEqualTo(list.get(i - 1).end);
      }
    }
  }

  /**
   * 67ff3d0a49f3: scsi: storvsc: a path of errors without unmap leaked bounce memory. A list that
   * does not fit as a whole leaves nothing mapped, however often it is tried.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void fixSwiotlbBounceBufferLeakInConfidentialVm(final Subject subject) {
    try (World world = small(subject, false, 0)) {
      final Driven device = world.device("dev", 1024);
      final long buffer = world.guest.buffer(256 << 10, 1);
      final long huge = world.guest.buffer(40L << 20, 1);
      final List<Long> held = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        held.add(device.mapped(buffer, 4096, DmaDirection.BIDIRECTIONAL));
      }
      final long used = world.usedSlots();
      for (int i = 0; i < 50; i++) {
        final ScatterList list = new ScatterList(4);
        list.add(buffer, 4096);
        list.add(buffer + 8192, 1);
        list.add(huge, 40L << 20); // never fits
        list.add(buffer, 4096);
        assertThat(device.dma.mapSg(list, DmaDirection.FROM_DEVICE, 0)).isZero();
        assertThat(world.usedSlots()).isEqualTo(used);
        assertThat(device.dma.liveMappings()).isEqualTo(5);
      }
      unmapAll(device, held, 4096);
      assertThat(world.usedSlots()).isZero();
    }
  }

  /**
   * a5e3b127455d: swiotlb: do not free decrypted pages if dynamic. In a confidential guest, with
   * memory that is short at times: every page that goes back is private again (the allocator
   * insists), as many are shared as pools have, and in the end none.
   */
  @ParameterizedTest
  @MethodSource(ON_RAM)
  void doNotFreeDecryptedPagesIfDynamic(final Subject subject) {
    final World world = small(subject, true, 0);
    final long before = world.guest.usedPages();
    try (world) {
      final Driven device = world.device("dev", 0);
      final long buffer = world.guest.buffer(64 << 10, 1);
      for (int round = 0; round < 4; round++) {
        world.guest.failing(round % 2 == 1);
        final List<Long> held = fill(device, buffer, 20_000, DmaAttributes.MAY_SLEEP);
        if (round % 2 == 0) {
          assertThat(held).isNotEmpty();
        }
        unmapAll(device, held, 20_000);
      }
      world.guest.failing(false);
      device.close();
      World.await(() -> world.core.pools().isEmpty(), "pools end");
      World.await(
          () -> world.guest.memory.pageStateCounters().sharedPages() == 0, "all pages are private");
      world.guest.free(buffer, 16);
      World.await(() -> world.guest.usedPages() == before, "all pages are given back");
    }
  }

  /**
   * (2026) swiotlb: Preserve allocation virtual address for dynamic pools. What is freed is what
   * was allocated, also where the device sees it elsewhere; the allocator insists on it.
   */
  @ParameterizedTest
  @MethodSource(ON_RAM)
  void preserveAllocationVirtualAddressForDynamicPools(final Subject subject) {
    try (World world = small(subject, false, 1L << 28)) {
      final Driven device = world.device("dev", 0);
      final long before = world.guest.usedPages();
      final long buffer = world.guest.buffer(64 << 10, 7);
      final List<Long> held = fill(device, buffer, 20_000);
      assertThat(held).isNotEmpty();
      Bytes.assertAll(device.read(held.getLast(), 20_000), 7);
      unmapAll(device, held, 20_000);
      world.guest.free(buffer, 16);
      device.close();
      World.await(() -> world.core.pools().isEmpty(), "pools end");
      World.await(() -> world.guest.usedPages() <= before, "all pages are given back");
    }
  }

  /**
   * 2d5780bbef8d: whether a device had ever bounced was never looked at. A device that does not
   * bounce, beside one that does: its driver is told that syncs are nothing, and nothing of it is
   * counted in any pool.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void fixTheCheckWhetherADeviceHasUsedSoftwareIoTlb(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven bouncing = world.device("bouncing", REGION_KIB);
      final Driven innocent = world.device("innocent", REGION_KIB);
      world.use(innocent, new Subject("direct", null));
      final long buffer = world.guest.buffer(8192, 1);
      final long held = bouncing.mapped(buffer, 4096, DmaDirection.BIDIRECTIONAL);
      final long used = world.usedSlots();
      World.await(() -> !innocent.dma.needsSync(), "what it had before is over");
      for (int i = 0; i < 100; i++) {
        final long bus = innocent.mapped(buffer, 4096, DmaDirection.BIDIRECTIONAL);
        assertThat(bus).isEqualTo(buffer);
        innocent.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL);
      }
      assertThat(innocent.dma.needsSync()).isFalse();
      assertThat(bouncing.dma.needsSync()).isTrue();
      assertThat(world.info(innocent).bounced()).isZero();
      assertThat(world.info(innocent).io_tlb_used()).isZero();
      assertThat(world.usedSlots()).isEqualTo(used);
      bouncing.unmap(held, 4096, DmaDirection.BIDIRECTIONAL);
    }
  }

  /** An empty pool serves again after it was full: nothing is lost by refusing. */
  @ParameterizedTest
  @MethodSource(ALL)
  void whatWasFullServesAgain(final Subject subject) {
    try (World world = small(subject, false, 0)) {
      final Driven device = world.device("dev", 1024);
      final long buffer = world.guest.buffer(64 << 10, 1);
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 5; round++) {
        final List<Long> held = fill(device, buffer, 60_000);
        least = Math.min(least, held.size());
        unmapAll(device, held, 60_000);
        assertThat(world.usedSlots()).isZero();
      }
      assertThat(least).isPositive();
    }
  }
}
