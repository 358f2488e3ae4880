package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Swaps that are taken back. */
class CancelTest {
  private static final SwapOptions LONG = new SwapOptions(null, 20_000L, null);
  private static final SwapOptions SHORT = new SwapOptions(null, 60L, null);
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;
  private static final DmaDirection TO = DmaDirection.TO_DEVICE;

  private final CoreKit kit =
      new CoreKit(TestGuest.plain(), new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300));
  private final SlotStrategy one = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 2);

  CancelTest() {
    kit.add("one", one, 1);
    kit.add("two", two, 2);
  }

  @AfterEach
  void close() {
    kit.close();
  }

  private long map(final DmaDevice device, final DmaDirection direction) {
    final long bus = device.map(kit.guest.buffer(4096, 1), 4096, direction, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    return bus;
  }

  private void unmap(final DmaDevice device, final long bus, final DmaDirection direction) {
    device.unmap(bus, 4096, direction, 0);
  }

  /** Begins a swap that has something to wait for. */
  private CompletableFuture<SwapReport> draining(
      final DmaDevice device, final String to, final SwapOptions options) {
    final CompletionStage<SwapReport> swap = kit.core.use(device.name(), to, options);
    CoreKit.await(() -> state(device).equals("DRAINING"), "draining");
    return swap.toCompletableFuture();
  }

  private String state(final DmaDevice device) {
    return kit.core.transitions().stream()
        .filter(t -> t.device().equals(device.name()))
        .map(TransitionInfo::state)
        .findFirst()
        .orElse("none");
  }

  private void cannotCancel(final DmaDevice device, final String why) {
    assertThatIllegalStateException()
        .isThrownBy(() -> kit.core.cancel(device.name()))
        .withMessageContaining(why);
  }

  @Test
  void rolesSwapBackAndBothDrainTheirOwn() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final int before = kit.info(device).generation();
    final long old = map(device, FROM);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final long buffer = kit.guest.buffer(4096, 1);
    final long young = device.map(buffer, 4096, FROM, 0);
    assertThat(kit.info(device).wanted()).isEqualTo("two");
    final CompletionStage<SwapReport> cancelled = kit.core.cancel("dev");
    assertThat(kit.info(device).strategy()).isEqualTo("one");
    assertThat(kit.info(device).generation()).isEqualTo(before);
    final TransitionInfo seen = kit.core.transitions().getFirst();
    assertThat(List.of(seen.from(), seen.to(), seen.cause(), seen.state()))
        .containsExactly("two", "one", "cancelled", "DRAINING");
    assertThat(seen.live()).isEqualTo(1);
    assertThat(seen.toGeneration()).isEqualTo(before);
    unmap(device, old, FROM); // of the one that is current: nothing waits for it
    final long more = map(device, TO);
    assertThat(swap).isNotDone();
    kit.guest.segment(young, 4096).fill((byte) 7);
    unmap(device, young, FROM);
    assertThat(kit.guest.get(buffer)).isEqualTo(7);
    final SwapReport report = swap.get(20, TimeUnit.SECONDS);
    assertThat(cancelled.toCompletableFuture().get(20, TimeUnit.SECONDS)).isEqualTo(report);
    assertThat(report.outcome()).isEqualTo("CANCELLED");
    assertThat(report.cause()).isEqualTo("cancelled");
    assertThat(report.from()).isEqualTo("one");
    assertThat(report.to()).isEqualTo("two");
    assertThat(report.liveAtEnd()).isZero();
    assertThat(kit.core.history()).contains(report);
    assertThat(kit.info(device).strategy()).isEqualTo("one");
    unmap(device, more, TO);
    CoreKit.await(
        () -> two.instances.stream().allMatch(i -> i.closed.get() == 1), "the pool of two ends");
    assertThat(one.instances.getFirst().closed.get()).isZero();
  }

  @Test
  void whatWasWantedBeforeIsWantedAgain() throws Exception {
    final DmaDevice device = kit.device("dev");
    final String configured = kit.info(device).wanted();
    final long passed = map(device, TO); // of direct, which is configured
    CompletableFuture<SwapReport> swap = draining(device, "one", LONG);
    kit.core.cancel("dev");
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    assertThat(kit.info(device).wanted()).isEqualTo(configured);
    unmap(device, passed, TO);
    kit.use(device, "one");
    final long held = map(device, TO);
    swap = draining(device, "two", LONG);
    kit.core.cancel("dev");
    swap.get(20, TimeUnit.SECONDS);
    assertThat(kit.info(device).wanted()).isEqualTo("one");
    assertThat(kit.core.transitions()).isEmpty();
    unmap(device, held, TO);
  }

  @Test
  void whatTheCoreDecidedStaysCancelled() throws Exception {
    final DmaDevice device = kit.device("dev");
    final long held = map(device, TO);
    kit.core.settings(new Settings("one", true, 20_000, SwapPolicy.ADOPT, 300));
    CoreKit.await(() -> state(device).equals("DRAINING"), "draining");
    assertThat(kit.core.transitions().getFirst().cause()).isEqualTo("configured");
    final CompletionStage<SwapReport> cancelled = kit.core.cancel("dev");
    cancelled.toCompletableFuture().get(20, TimeUnit.SECONDS);
    assertThat(kit.info(device).strategy()).isEqualTo("direct");
    assertThat(kit.info(device).wanted()).isEqualTo("direct");
    kit.core.settings(new Settings("two", true, 20_000, SwapPolicy.ADOPT, 300));
    assertThat(kit.core.transitions()).isEmpty();
    unmap(device, held, TO);
  }

  @Test
  void thereMustBeADrainToBeCancelled() {
    final DmaDevice device = kit.device("dev");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.core.cancel("vdz"))
        .withMessage("unknown device 'vdz'; valid: dev");
    cannotCancel(device, "no swap of dev is going on");
    kit.use(device, "one");
    cannotCancel(device, "no swap of dev is going on");
  }

  @Test
  void onlyOneCancelSucceeds() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final long young = map(device, TO);
    kit.core.cancel("dev");
    cannotCancel(device, "cancelled already");
    unmap(device, young, TO);
    swap.get(20, TimeUnit.SECONDS);
    cannotCancel(device, "no swap of dev is going on");
    unmap(device, old, TO);
  }

  @Test
  void itIsTooLateOnceTheDeadlineHasPassed() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CountDownLatch inFence = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);
    device.fence(
        timeout -> {
          inFence.countDown();
          await(go);
          return true;
        });
    kit.core.settings(
        new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300).with(20_000, 2_000));
    final CompletableFuture<SwapReport> swap =
        kit.core
            .use("dev", "two", new SwapOptions(null, 10L, SwapPolicy.REVOKE))
            .toCompletableFuture();
    await(inFence);
    assertThat(state(device)).isEqualTo("REVOKING");
    cannotCancel(device, "the drain of dev is over");
    assertThat(kit.info(device).wanted()).isEqualTo("two");
    go.countDown();
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("REVOKED");
    unmap(device, old, TO);
  }

  private static void await(final CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (final InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aStrategyWhoseServiceIsGoneDoesNotComeBack() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    kit.core.strategyRemoved(1);
    cannotCancel(device, "dev cannot go back to one: unknown strategy 'one'");
    assertThat(kit.info(device).strategy()).isEqualTo("two");
    assertThat(kit.info(device).wanted()).isEqualTo("two");
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
  }

  @Test
  void neitherDoesOneThatWasReplaced() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    kit.core.strategyAdded(new StrategyRef("one", one, 1, "test", 1, 1));
    cannotCancel(device, "its configuration is another one by now");
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
  }

  @Test
  void norOneThatIsNotLegalAnyMore() throws Exception {
    final DmaDevice device = kit.regionDevice("dev", 1024, false);
    kit.use(device, "direct");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    device.negotiated(new Negotiation(true, true)); // from now on only its region is legal
    cannotCancel(device, "dev cannot go back to direct");
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
  }

  @Test
  void norNoStrategyAtAll() throws Exception {
    final DmaDevice device = kit.core.attach(DmaDeviceSpec.of("dev", null));
    cannotCancel(device, "no swap of dev is going on");
    device.negotiated(Negotiation.NONE);
    assertThat(kit.info(device).strategy()).isEqualTo("direct");
  }

  @Test
  void whenTheNewOneHasGoneThereIsNothingToTakeBack() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    kit.core.strategyRemoved(2);
    assertThat(kit.info(device).strategy()).isEqualTo("one");
    cannotCancel(device, "two has gone meanwhile, and dev uses one");
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
  }

  @Test
  void aStrategyThatGoesAfterItCameBackIsReplaced() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, FROM);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final long young = map(device, FROM);
    kit.core.cancel("dev");
    kit.core.strategyRemoved(1);
    assertThat(kit.info(device).strategy()).isEqualTo("two");
    assertThat(one.instances).allMatch(i -> i.closed.get() == 1);
    unmap(device, young, FROM);
    final SwapReport report = swap.get(20, TimeUnit.SECONDS);
    assertThat(report.outcome()).isEqualTo("CANCELLED");
    assertThat(report.note()).contains("one has gone since");
    unmap(device, old, FROM);
    assertThat(device.liveMappings()).isZero();
  }

  @Test
  void aDeviceThatIsClosedIsLeftAsItIs() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    device.close();
    assertThatIllegalArgumentException().isThrownBy(() -> kit.core.cancel("dev"));
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
    assertThat(device.map(kit.guest.buffer(4096, 1), 4096, TO, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    CoreKit.await(() -> kit.core.pools().isEmpty(), "the pools are gone");
  }

  @Test
  void aCloseAfterACancelEndsBoth() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final long young = map(device, TO);
    kit.core.cancel("dev");
    device.close();
    unmap(device, young, TO);
    unmap(device, old, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    CoreKit.await(() -> kit.core.pools().isEmpty(), "the pools are gone");
  }

  @Test
  void whatIsLeftOfTheNewOneAtItsDeadlineIsTold() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap =
        draining(device, "two", new SwapOptions(null, 3_000L, SwapPolicy.QUARANTINE));
    final long young = map(device, TO);
    kit.core.cancel("dev");
    final SwapReport report = swap.get(20, TimeUnit.SECONDS);
    assertThat(report.outcome()).isEqualTo("CANCELLED");
    assertThat(report.liveAtEnd()).isEqualTo(1);
    assertThat(report.note())
        .isEqualTo("1 mappings of two outlived the drain deadline of 3000 ms: QUARANTINED");
    assertThat(kit.core.pools()).anyMatch(p -> p.state().equals("QUARANTINED"));
    unmap(device, young, TO);
    CoreKit.await(
        () -> kit.core.pools().stream().noneMatch(p -> p.strategy().equals("two")), "it is gone");
    unmap(device, old, TO);
  }

  @Test
  void inARegionTheExtentsFlowBackAndTheNewOneLends() throws Exception {
    final DmaDevice device = kit.regionDevice("dev", 512, true); // one set behind the reserve
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final long lent = map(device, TO); // two has no extent: it borrows from one
    unmap(device, old, TO);
    unmap(device, lent, TO);
    assertThat(swap.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
    final long own = map(device, TO);
    final CompletableFuture<SwapReport> back = draining(device, "one", LONG);
    kit.core.cancel("dev");
    final long again = map(device, TO);
    assertThat(kit.info(device).strategy()).isEqualTo("two");
    unmap(device, own, TO);
    unmap(device, again, TO);
    assertThat(back.get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    assertThat(kit.info(device).failedMaps()).isZero();
    unmap(device, map(device, TO), TO);
  }

  @Test
  void withoutExtentsOfItsOwnTheOldOneBorrows() throws Exception {
    final DmaDevice device = kit.regionDevice("dev", 1024, true); // three sets
    kit.use(device, "one");
    final long old = map(device, TO);
    final CompletableFuture<SwapReport> swap = draining(device, "two", LONG);
    final List<Long> young = new ArrayList<>();
    CoreKit.await(() -> slots("two") == 2 * 128, "the empty ones have gone to two");
    for (int i = 0; i < 65; i++) {
      young.add(map(device, TO)); // one set is full, and the other has a mapping too
    }
    kit.core.cancel("dev");
    for (int i = 0; i < 100; i++) { // more than one set has room for
      young.add(map(device, TO));
    }
    assertThat(kit.info(device).failedMaps()).isZero();
    assertThat(young).doesNotHaveDuplicates();
    young.forEach(bus -> unmap(device, bus, TO));
    unmap(device, old, TO);
    final SwapReport report = swap.get(20, TimeUnit.SECONDS);
    assertThat(report.outcome()).isEqualTo("CANCELLED");
    assertThat(report.borrowedMaps()).isPositive();
    CoreKit.await(() -> slots("one") == 3 * 128, "all sets are back");
    assertThat(slots("two")).isZero();
  }

  private long slots(final String strategy) {
    return kit.core.pools().stream()
        .filter(p -> p.strategy().equals(strategy))
        .mapToLong(p -> p.io_tlb_nslabs())
        .sum();
  }

  @Test
  void aFailedSwapIsNotWantedForEver() {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    kit.add("broken", new BrokenStrategy(), 3);
    assertThat(
            kit.core
                .use("dev", "broken", SwapOptions.DEFAULTS)
                .toCompletableFuture()
                .handle((report, e) -> String.valueOf(e.getMessage()))
                .join())
        .contains("strategy broken is not ready");
    assertThat(kit.info(device).wanted()).isEqualTo("one");
    assertThat(kit.info(device).strategy()).isEqualTo("one");
    assertThat(kit.core.transitions()).isEmpty();
  }

  @Test
  void aDeviceIsNotHeldUpForEverByAStrategyThatHangsWhileItIsOpened() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final BrokenStrategy hanging = new BrokenStrategy();
    hanging.hang = new CountDownLatch(1);
    kit.core.strategyAdded(new StrategyRef("hanging", hanging, -1, "test", 3, 0)); // never best
    kit.core.settings(new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300).with(1_000, 50));
    final CompletableFuture<SwapReport> swap =
        kit.core.use("dev", "hanging", SwapOptions.DEFAULTS).toCompletableFuture();
    await(hanging.inside);
    final AtomicBoolean back = new AtomicBoolean();
    final Thread stop =
        Thread.ofPlatform()
            .start(
                () -> {
                  kit.core.strategyRemoved(1); // as its bundle stops
                  back.set(true);
                });
    assertThat(stop.join(Duration.ofSeconds(20))).isTrue();
    assertThat(back).isTrue();
    assertThat(one.instances).allMatch(i -> i.closed.get() == 1);
    hanging.hang.countDown();
    assertThat(swap.handle((report, e) -> e != null).get(20, TimeUnit.SECONDS)).isTrue();
    CoreKit.await(() -> "two".equals(kit.info(device).strategy()), "it is replaced after all");
  }

  @Test
  void ofTheEndAndACancelOneWins() throws Exception {
    final long seed = Long.getLong("carom.seed", new Random().nextLong());
    final Random random = new Random(seed);
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    int cancelled = 0;
    int drained = 0;
    for (int round = 0; round < 300; round++) {
      final String here = kit.info(device).strategy();
      final String there = "one".equals(here) ? "two" : "one";
      final long old = map(device, FROM);
      final CompletableFuture<SwapReport> swap = draining(device, there, LONG);
      final CountDownLatch start = new CountDownLatch(1);
      final int spin = random.nextInt(2_000);
      final Thread driver =
          Thread.ofPlatform()
              .start(
                  () -> {
                    await(start);
                    unmap(device, old, FROM);
                  });
      start.countDown();
      for (int i = 0; i < spin; i++) {
        Thread.onSpinWait();
      }
      boolean mine = true;
      try {
        kit.core.cancel("dev");
      } catch (final IllegalStateException e) {
        mine = false;
      }
      driver.join();
      final SwapReport report = swap.get(20, TimeUnit.SECONDS);
      assertThat(report.outcome())
          .as("round %d of seed %d", round, seed)
          .isEqualTo(mine ? "CANCELLED" : "DRAINED");
      assertThat(kit.info(device).strategy()).isEqualTo(mine ? here : there);
      CoreKit.await(() -> kit.core.transitions().isEmpty(), "it is over");
      assertThat(kit.info(device).wanted()).isEqualTo(mine ? here : there);
      cancelled += mine ? 1 : 0;
      drained += mine ? 0 : 1;
    }
    assertThat(cancelled + drained).isEqualTo(300);
    assertThat(device.liveMappings()).isZero();
    assertThat(kit.info(device).failedMaps()).isZero();
  }

  @Test
  void cancelsUnderLoadLoseNothing() throws Exception {
    final long seed = Long.getLong("carom.seed", new Random().nextLong());
    final Random random = new Random(seed);
    final MemorySegment region = LazyMemory.allocate(17L * (256 << 10));
    final DmaDevice device =
        kit.device(
            DmaDeviceSpec.of("dev", new DmaDeviceSpec.Region(CoreKit.REGION, region, 256 << 10)),
            new Negotiation(true, true));
    kit.use(device, "one");
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicInteger done = new AtomicInteger();
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final List<Thread> drivers = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      final byte mark = (byte) (t + 1);
      drivers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      final long buffer = kit.guest.buffer(4096, 0);
                      while (!stop.get()) {
                        kit.guest.segment(buffer, 4096).fill((byte) 0);
                        final long bus = map(device, buffer);
                        region.asSlice(bus - CoreKit.REGION, 4096).fill(mark);
                        Thread.yield();
                        device.unmap(bus, 4096, FROM, 0);
                        if (kit.guest.get(buffer) != mark || kit.guest.get(buffer + 4095) != mark) {
                          throw new AssertionError("bytes are lost");
                        }
                        done.incrementAndGet();
                      }
                    } catch (final Throwable e) {
                      failure.set(e);
                    }
                  }));
    }
    int cancels = 0;
    for (int round = 0; round < 150 && failure.get() == null; round++) {
      final String there = "one".equals(kit.info(device).strategy()) ? "two" : "one";
      final CompletableFuture<SwapReport> swap =
          kit.core.use("dev", there, SHORT).toCompletableFuture();
      if (random.nextBoolean()) {
        Thread.yield();
      }
      try {
        kit.core.cancel("dev");
        cancels++;
      } catch (final IllegalStateException e) {
        // too early, or too late
      }
      swap.get(20, TimeUnit.SECONDS);
      CoreKit.await(() -> kit.core.transitions().isEmpty(), "it is over");
    }
    stop.set(true);
    for (final Thread driver : drivers) {
      driver.join();
    }
    assertThat(failure.get()).as("seed %d, %d cancels", seed, cancels).isNull();
    assertThat(done).hasPositiveValue();
    assertThat(device.liveMappings()).isZero();
    assertThat(kit.info(device).failedMaps()).isZero();
    assertThat(kit.info(device).maps()).isEqualTo(kit.info(device).unmaps());
    CoreKit.await(() -> slots("one") + slots("two") == 16 * 128, "no set is lost");
  }

  private static long map(final DmaDevice device, final long buffer) {
    final long bus = device.map(buffer, 4096, FROM, 0);
    if (bus == DmaDevice.MAPPING_ERROR) {
      throw new AssertionError("a map failed");
    }
    return bus;
  }
}
