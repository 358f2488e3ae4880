package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SwapTest {
  private static final SwapOptions SHORT = new SwapOptions(null, 50L, null);

  private final CoreKit kit =
      new CoreKit(TestGuest.plain(), new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300));
  private final SlotStrategy one = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 2);

  @AfterEach
  void close() {
    one.hang.countDown();
    two.hang.countDown();
    kit.close();
  }

  /** Slots that a strategy's pools have been granted. */
  private long slots(final String strategy) {
    return kit.core.pools().stream()
        .filter(p -> p.strategy().equals(strategy))
        .mapToLong(PoolInfo::io_tlb_nslabs)
        .sum();
  }

  private void strategies() {
    kit.add("one", one, 1);
    kit.add("two", two, 2);
  }

  @Test
  void oldMappingsEndUnderTheNewStrategy() {
    strategies();
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    final CompletionStage<SwapReport> swap = kit.core.use("dev", "two", SwapOptions.DEFAULTS);
    CoreKit.await(
        () -> kit.core.transitions().stream().anyMatch(t -> t.state().equals("DRAINING")),
        "draining");
    assertThat(kit.core.transitions().getFirst().live()).isEqualTo(1);
    assertThat(kit.core.transitions().getFirst().oldest()).hasSize(1);
    assertThatIllegalStateException()
        .isThrownBy(() -> kit.core.use("dev", "one", SwapOptions.DEFAULTS))
        .withMessageContaining("from one to two is going on");
    kit.guest.segment(bus, 4096).fill((byte) 8);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    assertThat(kit.guest.get(buffer)).isEqualTo(8);
    final SwapReport report = swap.toCompletableFuture().join();
    assertThat(report.outcome()).isEqualTo("DRAINED");
    assertThat(report.liveAtPublish()).isEqualTo(1);
    assertThat(report.liveAtEnd()).isZero();
    assertThat(kit.core.history()).contains(report);
    CoreKit.await(() -> one.instances.getFirst().closed.get() == 1, "the old pool is closed");
  }

  @Test
  void aCoreThatHasStoppedRefusesSwaps() {
    strategies();
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    kit.core.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> kit.core.use("dev", "two", SwapOptions.DEFAULTS))
        .withMessageContaining("no swap of dev any more");
    assertThat(kit.core.transitions()).isEmpty();
  }

  @Test
  void memoryOfAPoolThatNobodyUsesComesBack() {
    strategies();
    final DmaDevice device = kit.device("dev");
    final long before = kit.guest.usedPages();
    kit.use(device, "one");
    assertThat(kit.guest.usedPages()).isEqualTo(before + 256);
    kit.use(device, "direct");
    CoreKit.await(() -> kit.guest.usedPages() == before, "the pages are free again");
    CoreKit.await(() -> kit.core.pools().isEmpty(), "the pool is gone");
  }

  @Test
  void sharedPoolStaysWhileAnotherDeviceUsesIt() {
    strategies();
    final DmaDevice a = kit.device("a");
    final DmaDevice b = kit.device("b");
    kit.use(a, "one");
    kit.use(b, "one");
    assertThat(one.instances).hasSize(1);
    kit.use(a, "two");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = b.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    b.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(one.instances.getFirst().closed.get()).isZero();
  }

  @Test
  void extentsOfARegionFlowAndNoneIsGrantedTwice() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 256 * 9, true);
    assertThat(kit.info(device).extents()).isEqualTo(ExtentKind.DEVICE);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final List<Long> live = new ArrayList<>();
    for (int i = 0; i < 300; i++) { // more than half of the 512 that fit
      live.add(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0));
    }
    assertThat(live).doesNotContain(DmaDevice.MAPPING_ERROR).doesNotHaveDuplicates();
    final CompletionStage<SwapReport> swap = kit.core.use("dev", "two", SwapOptions.DEFAULTS);
    CoreKit.await(() -> "two".equals(kit.info(device).strategy()), "published");
    for (int i = 0; i < 150; i++) { // the new one has few extents: it borrows
      live.add(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0));
    }
    assertThat(live).doesNotContain(DmaDevice.MAPPING_ERROR).doesNotHaveDuplicates();
    for (final long bus : live) {
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
    }
    final SwapReport report = swap.toCompletableFuture().join();
    assertThat(report.outcome()).isEqualTo("DRAINED");
    assertThat(report.failedMaps()).isZero();
    CoreKit.await(() -> slots("two") == 8 * 128, "all sets arrived");
    assertThat(slots("one")).isZero();
  }

  @Test
  void newStrategyBorrowsWhileItHasNoExtents() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 512, true); // one set behind the reserve
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long held = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    final CompletionStage<SwapReport> swap =
        kit.core.use("dev", "two", new SwapOptions(null, 5_000L, null));
    CoreKit.await(() -> "two".equals(kit.info(device).strategy()), "published");
    final long lent = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(lent).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(device).borrowedMaps()).isEqualTo(1);
    device.unmap(held, 4096, DmaDirection.TO_DEVICE, 0);
    device.unmap(lent, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(swap.toCompletableFuture().join().borrowedMaps()).isEqualTo(1);
    final long own = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(own).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    device.unmap(own, 4096, DmaDirection.TO_DEVICE, 0);
  }

  @Test
  void adoptedMappingsEndWithoutTheirStrategy() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    final SwapReport report = kit.use(device, "two", SHORT);
    assertThat(report.outcome()).isEqualTo("ADOPTED");
    assertThat(report.liveAtEnd()).isEqualTo(1);
    one.fault = SlotStrategy.Fault.THROW_ON_RELEASE; // its classes may no longer load
    assertThat(one.instances.getLast().closed.get()).isEqualTo(1);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    assertThat(device.liveMappings()).isZero();
    CoreKit.await(() -> slots("two") == 3 * 128, "the set flowed on");
  }

  @Test
  void quarantinedExtentsStayOutOfUseUntilAllAreUnmapped() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 1024, true); // three sets
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(256 << 10, 1);
    final long a = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    final long b = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    final SwapReport report =
        kit.use(device, "two", new SwapOptions(null, 50L, SwapPolicy.QUARANTINE));
    assertThat(report.outcome()).isEqualTo("QUARANTINED");
    assertThat(kit.core.pools()).anyMatch(p -> p.state().equals("QUARANTINED"));
    device.unmap(a, 256 << 10, DmaDirection.TO_DEVICE, 0);
    final long only = device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0);
    assertThat(only).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(device.map(buffer, 256 << 10, DmaDirection.TO_DEVICE, 0))
        .as("the emptied set is quarantined with the other")
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    device.unmap(b, 256 << 10, DmaDirection.TO_DEVICE, 0);
    CoreKit.await(() -> slots("two") == 3 * 128, "the sets came back");
    device.unmap(only, 256 << 10, DmaDirection.TO_DEVICE, 0);
  }

  @Test
  void strategyThatGoesAwayIsReplacedAndItsMappingsEnd() {
    strategies();
    final DmaDevice free = kit.device("free");
    final DmaDevice strict = kit.regionDevice("strict", 1024, true);
    kit.use(free, "one");
    kit.use(strict, "one");
    kit.core.strategyRemoved(2);
    final long buffer = kit.guest.buffer(4096, 1);
    final long a = free.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    final long b = strict.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    kit.core.strategyRemoved(1);
    one.fault = SlotStrategy.Fault.THROW;
    assertThat(one.instances).allMatch(i -> i.closed.get() == 1);
    assertThat(kit.info(free).strategy()).isEqualTo("direct");
    assertThat(kit.info(strict).strategy()).isNull();
    assertThat(strict.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(strict).noStrategyMaps()).isEqualTo(1);
    free.unmap(a, 4096, DmaDirection.FROM_DEVICE, 0);
    strict.unmap(b, 4096, DmaDirection.FROM_DEVICE, 0);
    one.fault = SlotStrategy.Fault.NONE;
    kit.add("one", one, 3); // it comes back as another service
    CoreKit.await(() -> "one".equals(kit.info(strict).strategy()), "the wish is remembered");
    CoreKit.await(() -> "one".equals(kit.info(free).strategy()), "the wish is remembered");
  }

  @Test
  void strategyThatComesBackAtOnceFindsWhatItLeft() {
    kit.add("one", one, 1);
    final DmaDevice device = kit.regionDevice("dev", 1024, true); // three sets
    final long buffer = kit.guest.buffer(4096, 1);
    for (int i = 2; i < 30; i++) {
      final long held = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      kit.core.strategyRemoved(i - 1);
      kit.add("one", one, i);
      CoreKit.await(() -> kit.info(device).strategy() != null, "it is back");
      final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
      assertThat(bus).as("round %d", i).isNotEqualTo(DmaDevice.MAPPING_ERROR);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      device.unmap(held, 4096, DmaDirection.TO_DEVICE, 0);
    }
    assertThat(kit.info(device).failedMaps()).isZero();
  }

  @Test
  void withoutFallbackNothingStandsIn() {
    kit.core.settings(new Settings("one", false, 2_000, SwapPolicy.ADOPT, 300));
    strategies();
    final DmaDevice device = kit.device("dev");
    assertThat(kit.info(device).strategy()).isEqualTo("one");
    kit.core.strategyRemoved(1);
    assertThat(kit.info(device).strategy()).isNull();
  }

  @Test
  void refusalsSayWhyAndChangeNothing() {
    strategies();
    final DmaDevice plain = kit.device("plain");
    final DmaDevice strict = kit.regionDevice("strict", 1024, true);
    final String before = kit.info(strict).strategy();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(plain, "won"))
        .withMessage("unknown strategy 'won'; valid: direct, one, two");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.core.use("vdz", "one", SwapOptions.DEFAULTS))
        .withMessage("unknown device 'vdz'; valid: plain, strict");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(strict, "direct"))
        .withMessageContaining("accepted VIRTIO_F_SWIOTLB");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(strict, "one", new SwapOptions(ExtentKind.RAM, null, null)))
        .withMessageContaining("only device extents are legal");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(plain, "one", new SwapOptions(ExtentKind.DEVICE, null, null)))
        .withMessageContaining("no region of its own");
    assertThat(kit.info(strict).strategy()).isEqualTo(before);
    assertThat(kit.core.allowed("strict")).containsExactly("one", "two");
    assertThat(kit.core.allowed("plain")).containsExactly("direct", "one", "two");
  }

  @Test
  void strategyThatThrowsFailsTheMapAndNothingElse() {
    strategies();
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    for (final SlotStrategy.Fault fault :
        List.of(SlotStrategy.Fault.THROW, SlotStrategy.Fault.SILENT)) {
      one.fault = fault;
      assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
          .as(fault.name())
          .isEqualTo(DmaDevice.MAPPING_ERROR);
    }
    assertThat(kit.info(device).strategyErrors()).isEqualTo(2);
    one.fault = SlotStrategy.Fault.NONE;
    final long bus = device.map(buffer, 2048, DmaDirection.TO_DEVICE, 0);
    one.fault = SlotStrategy.Fault.THROW_ON_RELEASE;
    device.unmap(bus, 2048, DmaDirection.TO_DEVICE, 0);
    assertThat(device.liveMappings()).isZero();
    one.fault = SlotStrategy.Fault.NONE;
    assertThat(kit.info(device).strategy()).as("few faults are borne").isEqualTo("one");
  }

  @Test
  void hangInAllocateCostsItsStripeAndTheSwapGoesOn() throws InterruptedException {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 256 * 9, true);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long live = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    one.fault = SlotStrategy.Fault.HANG;
    final AtomicLong late = new AtomicLong(0);
    final Thread hung =
        Thread.ofPlatform()
            .start(() -> late.set(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0)));
    CoreKit.await(() -> hung.getState() == Thread.State.WAITING, "it hangs");
    final SwapReport report = kit.use(device, "two", new SwapOptions(null, 1_000L, null));
    assertThat(kit.info(device).strategy()).isEqualTo("two");
    final long after = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(after).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    device.unmap(live, 4096, DmaDirection.TO_DEVICE, 0);
    device.unmap(after, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(report.graceUs()).isLessThan(5e6);
    assertThat(slots("two"))
        .as("the extents of the abandoned stripe are set aside while someone is inside")
        .isLessThan(8 * 128);
    one.fault = SlotStrategy.Fault.NONE;
    one.hang.countDown();
    hung.join(10_000);
    if (late.get() != DmaDevice.MAPPING_ERROR) {
      device.unmap(late.get(), 4096, DmaDirection.TO_DEVICE, 0);
    }
    assertThat(device.liveMappings()).isZero();
    CoreKit.await(() -> slots("two") == 8 * 128, "all extents came back");
  }

  @Test
  void extentsOfAnAbandonedStripeComeBackClean() throws InterruptedException {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 256 * 9, true);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final AtomicLong first = new AtomicLong();
    final AtomicLong late = new AtomicLong(DmaDevice.MAPPING_ERROR);
    final Thread hung =
        Thread.ofPlatform()
            .start(
                () -> {
                  first.set(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0));
                  one.fault = SlotStrategy.Fault.HANG;
                  late.set(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0));
                });
    CoreKit.await(() -> hung.getState() == Thread.State.WAITING, "it hangs");
    kit.use(device, "two", new SwapOptions(null, 1_000L, null));
    device.unmap(first.get(), 4096, DmaDirection.TO_DEVICE, 0); // in the stripe that was given up
    one.fault = SlotStrategy.Fault.NONE;
    one.hang.countDown();
    hung.join(10_000);
    if (late.get() != DmaDevice.MAPPING_ERROR) {
      device.unmap(late.get(), 4096, DmaDirection.TO_DEVICE, 0);
    }
    CoreKit.await(() -> slots("two") == 8 * 128, "all extents came back");
    int mapped = 0;
    while (device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0) != DmaDevice.MAPPING_ERROR) {
      mapped++;
    }
    assertThat(mapped).isEqualTo(8 * 64);
    assertThat(kit.info(device).strategyErrors()).isZero();
  }

  @Test
  void aStrategyThatPassesLendsNothing() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 512, false);
    kit.use(device, "direct");
    final long buffer = kit.guest.buffer(4096, 1);
    final long held = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    final CompletionStage<SwapReport> swap =
        kit.core.use("dev", "two", new SwapOptions(ExtentKind.DEVICE, 5_000L, null));
    CoreKit.await(() -> "two".equals(kit.info(device).strategy()), "published");
    long bus;
    while ((bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0)) != DmaDevice.MAPPING_ERROR) {
      assertThat(bus).as("in the region").isGreaterThanOrEqualTo(CoreKit.REGION);
    }
    device.unmap(held, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(swap.toCompletableFuture().join().borrowedMaps()).isZero();
  }

  @Test
  void hangInReleaseHoldsUpNobodyElse() throws InterruptedException {
    kit.add("one", new SlotStrategy(1 << 20, 1), 1);
    kit.core.strategyRemoved(1);
    final SlotStrategy single = new SlotStrategy(1 << 20, 1);
    kit.add("single", single, 5);
    kit.add("two", two, 2);
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    kit.use(device, "single");
    final long buffer = kit.guest.buffer(4096, 1);
    final long a = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    final long b = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    kit.guest.segment(buffer, 4096).fill((byte) 1);
    single.fault = SlotStrategy.Fault.HANG_ON_RELEASE;
    final Thread hung =
        Thread.ofPlatform().start(() -> device.unmap(a, 4096, DmaDirection.FROM_DEVICE, 0));
    CoreKit.await(() -> hung.getState() == Thread.State.WAITING, "it hangs");
    device.unmap(b, 4096, DmaDirection.FROM_DEVICE, 0); // waits for the watchdog, no longer
    assertThatThrownBy(() -> device.unmap(b, 4096, DmaDirection.FROM_DEVICE, 0))
        .hasMessageContaining("has not allocated");
    // One is counted until it is certain that who hangs makes no mapping any more.
    CoreKit.await(() -> device.liveMappings() == 0, "nothing lives");
    single.hang.countDown();
    hung.join(10_000);
    assertThat(hung.isAlive()).isFalse();
  }

  @Test
  void closedDeviceLeavesNothingBehind() {
    strategies();
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    device.close();
    assertThat(device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    CoreKit.await(() -> kit.core.pools().isEmpty(), "the pool is gone");
    final DmaDevice again = kit.regionDevice("dev", 1024, true);
    assertThat(kit.info(again).live()).isZero();
  }

  @Test
  void changedConfigurationOfAStrategyMakesANewPool() {
    strategies();
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    kit.core.strategyAdded(new StrategyRef("one", one, 1, "test", 1, 1));
    CoreKit.await(() -> one.instances.size() == 2, "a second pool");
    CoreKit.await(() -> one.instances.getFirst().closed.get() == 1, "the first is closed");
    assertThat(kit.info(device).generation()).isGreaterThan(2);
  }
}
