package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ScatterList;
import io.carom.dma.SwapOptions;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.swap.Settings;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Extents that single maps need: made, granted, kept for the next map, and disposed of. */
final class NeededExtentTest {
  private static final int SLEEP = DmaAttributes.MAY_SLEEP;

  private final NeedingStrategy strategy = new NeedingStrategy();

  private CoreKit kit(final TestGuest guest) {
    return kit(guest, Settings.DEFAULTS);
  }

  private CoreKit kit(final TestGuest guest, final Settings settings) {
    final CoreKit kit = new CoreKit(guest, settings);
    kit.add("needing", strategy, 1);
    return kit;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 100, 4096, 4097, 65536, 300_000, 1_000_000})
  void eachMappingGetsAnExtentOfItsOwn(final int size) {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(size, 0x11);
      final long bus = device.map(buffer, size, DmaDirection.BIDIRECTIONAL, 0);
      assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(kit.guest.get(bus)).isEqualTo(0x11);
      assertThat(kit.guest.get(bus + size - 1)).isEqualTo(0x11);
      kit.guest.ram().set(ValueLayout.JAVA_BYTE, bus + size - 1, (byte) 0x22);
      device.unmap(bus, size, DmaDirection.BIDIRECTIONAL, 0);
      assertThat(kit.guest.get(buffer + size - 1)).isEqualTo(0x22);
      assertThat(device.liveMappings()).isZero();
    }
  }

  @Test
  void pagesGoBackWhenNobodyNeedsThemAnyMore() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(1 << 20, 1);
      final long before = kit.guest.usedPages();
      final List<Long> live = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        live.add(device.map(buffer, 8192, DmaDirection.TO_DEVICE, 0));
      }
      assertThat(live).doesNotHaveDuplicates().doesNotContain(DmaDevice.MAPPING_ERROR);
      assertThat(kit.core.pools().getFirst().io_tlb_used()).isEqualTo(800);
      assertThat(kit.core.pools().getFirst().io_tlb_transient_nslabs()).isEqualTo(800);
      for (final long bus : live) {
        device.unmap(bus, 8192, DmaDirection.TO_DEVICE, 0);
      }
      CoreKit.await(() -> kit.guest.usedPages() == before, "all pages are back");
      assertThat(kit.core.pools().getFirst().io_tlb_nslabs()).isZero();
    }
  }

  @Test
  void whoComesNextLeavesRoomForAsMuchAgain() {
    final int size = 256 << 10;
    final NeedingStrategy next = new NeedingStrategy();
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.regionDevice("a", 256 * (1 + 8), true);
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(size, 1);
      final List<Long> live = new CopyOnWriteArrayList<>();
      for (int i = 0; i < 2; i++) {
        live.add(device.map(buffer, size, DmaDirection.TO_DEVICE, 0));
      }
      next.planned = 8L * size; // all that there is
      next.granting =
          () -> { // it is being made ready: the one before still serves
            if (live.size() == 2) {
              for (int i = 0; i < 2; i++) {
                live.add(device.map(buffer, size, DmaDirection.TO_DEVICE, 0));
              }
            }
          };
      kit.add("next", next, 2);
      final var swap = kit.core.use("a", "next", new SwapOptions(null, null, null));
      CoreKit.await(() -> "next".equals(kit.info(device).strategy()), "it is published");
      assertThat(live).hasSize(4).doesNotContain(DmaDevice.MAPPING_ERROR);
      CoreKit.await(
          () ->
              kit.core.pools().stream()
                  .anyMatch(p -> p.pool().equals("next@a") && p.io_tlb_nslabs() == 4 * 128),
          "it has got the rest");
      for (final long bus : live) {
        device.unmap(bus, size, DmaDirection.TO_DEVICE, 0);
      }
      assertThat(swap.toCompletableFuture().join().outcome()).isEqualTo("DRAINED");
    }
  }

  @Test
  void theNextMapGetsTheExtentOfTheLast() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(4096, 1);
      final long first = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      device.unmap(first, 4096, DmaDirection.TO_DEVICE, 0);
      final long second = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(second).isEqualTo(first);
      device.unmap(second, 4096, DmaDirection.TO_DEVICE, 0);
    }
  }

  @Test
  void aConfidentialGuestSharesForSleepersOnlyAndTakesItBack() {
    final TestGuest guest = new TestGuest(32, 32, true);
    try (CoreKit kit = kit(guest)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = guest.buffer(4096, 1);
      assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(strategy.denials).hasValue(1);
      final long shares = guest.pageStateCounters().shareCalls();
      for (int i = 1; i <= 3; i++) {
        final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, SLEEP);
        assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
        assertThat(guest.shared(bus)).isTrue();
        device.unmap(bus, 4096, DmaDirection.TO_DEVICE, SLEEP);
        assertThat(guest.pageStateCounters().shareCalls()).isEqualTo(shares + i);
      }
      CoreKit.await(
          () -> guest.pageStateCounters().unshareCalls() >= 3, "each page is private again");
    }
  }

  @Test
  void aRegionGivesPagesFromItsEndAndGetsThemBack() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.regionDevice("dev", 1024, true);
      kit.use(device, "needing", new SwapOptions(ExtentKind.DEVICE, null, null));
      final long buffer = kit.guest.buffer(65536, 1);
      final List<Long> live = new ArrayList<>();
      long bus;
      while ((bus = device.map(buffer, 12288, DmaDirection.TO_DEVICE, 0))
          != DmaDevice.MAPPING_ERROR) {
        live.add(bus);
      }
      assertThat(live).hasSize(64).doesNotHaveDuplicates(); // 768 KiB of 12 KiB each
      assertThat(live).allMatch(a -> a >= CoreKit.REGION + (256 << 10));
      live.forEach(a -> device.unmap(a, 12288, DmaDirection.TO_DEVICE, 0));
      CoreKit.await(
          () -> kit.core.pools().getFirst().io_tlb_nslabs() == 0, "the extents are disposed of");
      final long whole = device.map(buffer, 65536, DmaDirection.TO_DEVICE, 0);
      assertThat(whole).isNotEqualTo(DmaDevice.MAPPING_ERROR);
      device.unmap(whole, 65536, DmaDirection.TO_DEVICE, 0);
    }
  }

  @Test
  void aSwapLeavesNothingBehind() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long before = kit.guest.usedPages();
      final long buffer = kit.guest.buffer(4096, 1);
      final long kept = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      final long live = device.map(buffer, 4096, DmaDirection.BIDIRECTIONAL, 0);
      device.unmap(kept, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(kit.use(device, "direct", new SwapOptions(null, 20L, null)).liveAtEnd())
          .isEqualTo(1);
      kit.guest.ram().set(ValueLayout.JAVA_BYTE, live + 5, (byte) 9);
      device.unmap(live, 4096, DmaDirection.BIDIRECTIONAL, 0);
      assertThat(kit.guest.get(buffer + 5)).isEqualTo(9);
      CoreKit.await(() -> kit.core.pools().isEmpty(), "the pool is closed");
      assertThat(kit.guest.usedPages()).isEqualTo(before + 1);
    }
  }

  @Test
  void whatAStrategyKeepsItGivesBackAtATick() {
    strategy.giveBack = false;
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long before = kit.guest.usedPages();
      final long buffer = kit.guest.buffer(4096, 1);
      final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      CoreKit.await(() -> kit.guest.usedPages() == before + 1, "the surplus is disposed of");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1L << 40})
  void aSenselessNeedIsTheStrategysFault(final long needs) {
    strategy.needs = needs;
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      assertThat(device.map(kit.guest.buffer(10, 1), 10, DmaDirection.TO_DEVICE, 0))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(kit.info(device).strategyErrors()).isEqualTo(1);
    }
  }

  @Test
  void withoutMemoryTheStrategyIsToldAndAskedOnceMore() {
    strategy.needs = 64L << 20; // as much as the guest has
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      assertThat(device.map(kit.guest.buffer(10, 1), 10, DmaDirection.TO_DEVICE, SLEEP))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(strategy.denials).hasValue(1);
      assertThat(kit.info(device).fragmented()).isEqualTo(1);
    }
  }

  @Test
  void aDevicesMaskBoundsWhereItsExtentsLie() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device =
          kit.device(DmaDeviceSpec.of("dev", null).withDmaMask((1 << 20) - 1), Negotiation.NONE);
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(4096, 1);
      for (int i = 0; i < 20; i++) {
        assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0)).isBetween(0L, 0xff000L);
      }
    }
  }

  @Test
  void aMapThatMaySleepWaitsWhileThePoolIsThrottled() throws InterruptedException {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(4096, 1);
      strategy.throttling = true;
      final long[] bus = new long[1];
      final Thread mapper =
          Thread.ofPlatform()
              .start(() -> bus[0] = device.map(buffer, 4096, DmaDirection.TO_DEVICE, SLEEP));
      final long atomic = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(atomic).isNotEqualTo(DmaDevice.MAPPING_ERROR);
      CoreKit.await(
          () -> mapper.getState() == Thread.State.TIMED_WAITING, "the sleeper waits in the core");
      strategy.throttling = false;
      mapper.join(10_000);
      assertThat(bus[0]).isNotEqualTo(DmaDevice.MAPPING_ERROR).isNotZero();
    }
  }

  @Test
  void aThrottledMapFailsAtItsDeadlineAndSaysSo() {
    final Settings short20 = Settings.DEFAULTS.with(20, 25, Lookup.DIRECT);
    try (CoreKit kit = kit(TestGuest.plain(), short20)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      strategy.throttling = true;
      assertThat(device.map(kit.guest.buffer(10, 1), 10, DmaDirection.TO_DEVICE, SLEEP))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(kit.info(device).throttled()).isEqualTo(1);
      assertThat(kit.info(device).failedMaps()).isEqualTo(1);
    }
  }

  @Test
  void onlyTheFirstEntryOfAListWaits() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final ScatterList list = new ScatterList(2);
      list.add(kit.guest.buffer(4096, 1), 4096);
      list.add(kit.guest.buffer(4096, 2), 4096);
      strategy.throttlesAfter = 1;
      assertThat(device.mapSg(list, DmaDirection.TO_DEVICE, SLEEP)).isEqualTo(2);
      assertThat(kit.info(device).throttled()).isZero();
      device.unmapSg(list, DmaDirection.TO_DEVICE, 0);
    }
  }

  @Test
  void aStrategyThatHangsInItsTickHoldsUpNobodyElse() {
    try (CoreKit kit = kit(TestGuest.plain())) {
      final NeedingStrategy other = new NeedingStrategy();
      kit.add("other", other, 2);
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final DmaDevice second = kit.device("second");
      kit.use(second, "other");
      strategy.hangInTick = true;
      try {
        final long hung = strategy.ticks.get();
        CoreKit.await(() -> strategy.ticks.get() > hung, "the strategy is in its tick");
        CoreKit.await(
            () -> kit.core.pools().stream().allMatch(p -> p.areas() == 1), "reports still answer");
        final long seen = other.ticks.get();
        CoreKit.await(() -> other.ticks.get() > seen + 5, "the other strategy is ticked again");
      } finally {
        strategy.hangInTick = false;
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Lookup.class)
  void everyLookupFindsWhatIsMapped(final Lookup lookup) {
    final Settings settings = Settings.DEFAULTS.with(20, 25, lookup);
    try (CoreKit kit = kit(TestGuest.plain(), settings)) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(64 << 12, 7);
      final long[] live = new long[64];
      for (int i = 0; i < 64; i++) {
        live[i] = device.map(buffer + (i << 12), 4096, DmaDirection.BIDIRECTIONAL, 0);
      }
      for (int i = 0; i < 64; i++) {
        final int at = i * 37 & 63;
        kit.guest.ram().set(ValueLayout.JAVA_BYTE, live[at] + 100, (byte) at);
        device.syncForCpu(live[at] + 96, 8, DmaDirection.BIDIRECTIONAL);
        assertThat(kit.guest.get(buffer + (at << 12) + 100)).isEqualTo(at);
      }
      kit.core.settings(Settings.DEFAULTS); // what lives must still be found
      for (int i = 0; i < 64; i++) {
        device.unmap(live[i * 29 & 63], 4096, DmaDirection.BIDIRECTIONAL, 0);
      }
      assertThat(device.liveMappings()).isZero();
      assertThatThrownBy(() -> device.unmap(live[3], 4096, DmaDirection.BIDIRECTIONAL, 0))
          .isInstanceOf(DmaUsageException.class);
    }
  }
}
