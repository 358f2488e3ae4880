package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The policy {@code revoke}: what is left at the drain's deadline is taken away. */
class RevokeTest {
  private static final SwapOptions REVOKE = new SwapOptions(null, 30L, SwapPolicy.REVOKE);
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;
  private static final DmaDirection TO = DmaDirection.TO_DEVICE;

  private final CoreKit kit =
      new CoreKit(
          TestGuest.plain(),
          new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300).with(10_000, 2_000));
  private final SlotStrategy one = new SlotStrategy(1 << 20, 1);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 1);
  private final MemorySegment region = LazyMemory.allocate(512 << 10); // one set and the reserve

  RevokeTest() {
    kit.add("one", one, 1);
    kit.add("two", two, 2);
  }

  @AfterEach
  void close() {
    kit.close();
  }

  private DmaDevice strict() {
    return kit.device(
        DmaDeviceSpec.of("dev", new DmaDeviceSpec.Region(CoreKit.REGION, region, 256 << 10)),
        new Negotiation(true, true));
  }

  private static DmaDevice fenced(final DmaDevice device, final boolean answer) {
    device.fence(timeout -> answer);
    return device;
  }

  private static long map(final DmaDevice device, final long buffer, final DmaDirection direction) {
    final long bus = device.map(buffer, 4096, direction, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    return bus;
  }

  private long slots(final String strategy) {
    return kit.core.pools().stream()
        .filter(p -> p.strategy().equals(strategy))
        .mapToLong(p -> p.io_tlb_nslabs())
        .sum();
  }

  @Test
  void nothingIsCopiedAndALaterUnmapIsQuietOnce() {
    final DmaDevice device = fenced(strict(), true);
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 5);
    final long a = map(device, buffer, FROM);
    final long b = map(device, buffer, TO);
    final SwapReport report = kit.use(device, "two", REVOKE);
    assertThat(report.outcome()).isEqualTo("REVOKED");
    assertThat(report.revokedMappings()).isEqualTo(2);
    assertThat(report.liveAtEnd()).isZero();
    assertThat(report.note())
        .isEqualTo(
            "fenced: 0 of 2 mappings ended by the driver, 2 revoked;"
                + " 2 mappings of one outlived the drain deadline of 30 ms: REVOKED");
    assertThat(device.liveMappings()).isZero();
    CoreKit.await(() -> slots("two") == 128, "the set went on");
    region.asSlice(a - CoreKit.REGION, 4096).fill((byte) 9);
    device.syncForCpu(a, 4096, FROM);
    device.syncForCpu(a + 100, 96, FROM);
    device.unmap(a, 4096, FROM, 0);
    device.unmap(b, 4096, TO, 0);
    assertThat(kit.info(device).revokedCalls()).as("two syncs, two unmaps").isEqualTo(4);
    assertThat(kit.guest.get(buffer)).as("it ended without being copied").isEqualTo(5);
    assertThatThrownBy(() -> device.unmap(a, 4096, FROM, 0)).isInstanceOf(DmaUsageException.class);
    assertThatThrownBy(() -> device.syncForCpu(a, 4096, FROM))
        .isInstanceOf(DmaUsageException.class);
    assertThat(kit.info(device).maps()).isEqualTo(kit.info(device).unmaps());
  }

  @Test
  void wrongUseOfARevokedMappingIsStillWrong() {
    final DmaDevice device = fenced(strict(), true);
    kit.use(device, "one");
    final long bus = map(device, kit.guest.buffer(4096, 5), FROM);
    kit.use(device, "two", REVOKE);
    assertThatThrownBy(() -> device.unmap(bus, 2048, FROM, 0))
        .isInstanceOf(DmaUsageException.class);
    assertThatThrownBy(() -> device.unmap(bus, 4096, TO, 0)).isInstanceOf(DmaUsageException.class);
    assertThatThrownBy(() -> device.syncForCpu(bus + 4000, 200, FROM))
        .isInstanceOf(DmaUsageException.class);
    device.unmap(bus, 4096, FROM, 0);
  }

  @Test
  void theAddressIsNotGivenAgainToTheDeviceBeforeItWasUnmapped() {
    final DmaDevice device = fenced(strict(), true);
    kit.use(device, "one");
    final List<Long> revoked = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      revoked.add(map(device, kit.guest.buffer(4096, 1), FROM));
    }
    assertThat(kit.use(device, "two", REVOKE).revokedMappings()).isEqualTo(10);
    CoreKit.await(() -> slots("two") == 128, "the set went on");
    final List<Long> young = new ArrayList<>();
    final long buffer = kit.guest.buffer(4096, 3);
    for (int i = 0; i < 54; i++) { // all that is left of a set of 64 mappings
      young.add(map(device, buffer, FROM));
    }
    assertThat(young).doesNotHaveDuplicates().doesNotContainAnyElementsOf(revoked);
    assertThat(device.map(buffer, 4096, FROM, 0)).isEqualTo(DmaDevice.MAPPING_ERROR);
    for (final long bus : revoked) {
      device.unmap(bus, 4096, FROM, 0);
    }
    final long again = map(device, buffer, FROM);
    assertThat(revoked).as("now it is as good as any").contains(again);
    region.asSlice(again - CoreKit.REGION, 4096).fill((byte) 8);
    device.unmap(again, 4096, FROM, 0);
    assertThat(kit.guest.get(buffer)).isEqualTo(8);
    young.forEach(bus -> device.unmap(bus, 4096, FROM, 0));
    assertThat(device.liveMappings()).isZero();
    for (int i = 0; i < 64; i++) {
      map(device, buffer, TO); // nothing is left set aside
    }
  }

  @Test
  void anotherDeviceMayHaveTheAddressAtOnceAndKeepsIt() {
    final DmaDevice first = fenced(kit.device("first"), true);
    final DmaDevice other = kit.device("other");
    kit.use(first, "one");
    kit.use(other, "one");
    final long bus = map(first, kit.guest.buffer(4096, 1), FROM);
    assertThat(kit.use(first, "two", REVOKE).outcome()).isEqualTo("REVOKED");
    final long buffer = kit.guest.buffer(4096, 2);
    final long same = map(other, buffer, FROM);
    assertThat(same).as("first fit: the slot is reused").isEqualTo(bus);
    kit.guest.segment(bus, 4096).fill((byte) 6);
    first.unmap(bus, 4096, FROM, 0);
    assertThat(other.liveMappings()).isEqualTo(1);
    other.unmap(same, 4096, FROM, 0);
    assertThat(kit.guest.get(buffer)).isEqualTo(6);
  }

  @Test
  void mappingsInPlaceAreRevokedTooAndTheOldOneIsUnmappedFirst() {
    final DmaDevice device = fenced(kit.device("dev"), true);
    kit.use(device, "direct");
    final long buffer = kit.guest.buffer(4096, 1);
    map(device, buffer, TO);
    map(device, buffer, TO);
    assertThat(kit.use(device, "one", REVOKE).revokedMappings()).isEqualTo(2);
    kit.use(device, "direct");
    final long live = map(device, buffer, TO);
    assertThat(live).isEqualTo(buffer);
    device.unmap(live, 4096, TO, 0);
    device.unmap(live, 4096, TO, 0);
    assertThat(device.liveMappings()).as("the one that was made since").isEqualTo(1);
    device.unmap(live, 4096, TO, 0);
    assertThat(device.liveMappings()).isZero();
    assertThatThrownBy(() -> device.unmap(live, 4096, TO, 0)).hasMessageContaining("not allocated");
  }

  @Test
  void whatTheDriverEndsInItsFenceIsNotRevoked() {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = map(device, buffer, FROM);
    map(device, kit.guest.buffer(4096, 1), FROM);
    device.fence(
        timeout -> {
          kit.guest.segment(bus, 4096).fill((byte) 4);
          device.unmap(bus, 4096, FROM, 0);
          return timeout.toMillis() == 10_000;
        });
    final SwapReport report = kit.use(device, "two", REVOKE);
    assertThat(report.revokedMappings()).isEqualTo(1);
    assertThat(report.note()).contains("fenced: 1 of 2 mappings ended by the driver, 1 revoked");
    assertThat(kit.guest.get(buffer)).isEqualTo(4);
  }

  @Test
  void aDriverMayNegotiateAnewInItsFence() {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    final long bus = map(device, kit.guest.buffer(4096, 1), FROM);
    device.fence(
        timeout -> {
          device.unmap(bus, 4096, FROM, 0); // nothing is left: the swap waits for us alone
          final long start = System.nanoTime();
          device.negotiated(Negotiation.NONE);
          return System.nanoTime() - start < TimeUnit.SECONDS.toNanos(9);
        });
    final SwapReport report = kit.use(device, "two", REVOKE);
    assertThat(report.outcome()).as(report.note()).isEqualTo("REVOKED");
    assertThat(report.revokedMappings()).isZero();
  }

  private void quarantined(final DmaDevice device, final String why) {
    kit.use(device, "one");
    final long bus = map(device, kit.guest.buffer(4096, 1), FROM);
    final SwapReport report = kit.use(device, "two", REVOKE);
    assertThat(report.outcome()).isEqualTo("QUARANTINED");
    assertThat(report.revokedMappings()).isZero();
    assertThat(report.liveAtEnd()).isEqualTo(1);
    assertThat(report.note()).startsWith(why);
    assertThat(kit.core.pools()).anyMatch(p -> p.state().equals("QUARANTINED"));
    device.unmap(bus, 4096, FROM, 0);
    CoreKit.await(() -> slots("one") == 0, "they came back");
  }

  @Test
  void withoutAFenceItIsQuarantine() {
    quarantined(kit.device("dev"), "not fenced: the driver of dev has no fence");
  }

  @Test
  void aFenceThatSaysNoIsQuarantine() {
    quarantined(
        fenced(kit.device("dev"), false), "not fenced: the reset did not end within 10000 ms");
  }

  @Test
  void aFenceThatThrowsIsQuarantine() {
    final DmaDevice device = kit.device("dev");
    device.fence(
        timeout -> {
          throw new IllegalStateException("asked to throw");
        });
    quarantined(device, "not fenced: java.lang.IllegalStateException: asked to throw");
  }

  @Test
  void aFenceThatHangsIsQuarantineAndItsLateAnswerCountsForNothing() {
    kit.core.settings(new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300).with(20, 2_000));
    final CountDownLatch go = new CountDownLatch(1);
    final DmaDevice device = kit.device("dev");
    device.fence(
        timeout -> {
          try {
            return go.await(60, TimeUnit.SECONDS);
          } catch (final InterruptedException e) {
            return false;
          }
        });
    quarantined(device, "not fenced: the driver's fence did not return within 20 ms (fenceMs), it");
    go.countDown();
  }

  @Test
  void aDeviceThatWasClosedIsNotFenced() throws Exception {
    final DmaDevice device = kit.device("dev");
    final AtomicInteger calls = new AtomicInteger();
    device.fence(
        timeout -> {
          calls.incrementAndGet();
          return true;
        });
    kit.use(device, "one");
    final long bus = map(device, kit.guest.buffer(4096, 1), FROM);
    final var swap =
        kit.core
            .use("dev", "two", new SwapOptions(null, 300L, SwapPolicy.REVOKE))
            .toCompletableFuture();
    CoreKit.await(() -> "two".equals(kit.info(device).strategy()), "published");
    device.close();
    final SwapReport report = swap.get(20, TimeUnit.SECONDS);
    assertThat(report.outcome()).isEqualTo("QUARANTINED");
    assertThat(report.note()).startsWith("not fenced: the device is closed");
    assertThat(calls).hasValue(0);
    device.unmap(bus, 4096, FROM, 0);
  }

  @Test
  void closingTheDeviceGivesBackWhatWasSetAside() {
    final DmaDevice device = fenced(strict(), true);
    kit.use(device, "one");
    final long bus = map(device, kit.guest.buffer(4096, 1), FROM);
    kit.use(device, "two", REVOKE);
    CoreKit.await(() -> slots("two") == 128, "the set went on");
    final long young = map(device, kit.guest.buffer(4096, 1), FROM);
    device.unmap(young, 4096, FROM, 0);
    device.close();
    CoreKit.await(() -> kit.core.pools().isEmpty(), "the pool is gone");
    device.unmap(bus, 4096, FROM, 0); // still quiet
  }

  /** A core whose copies can be held up. */
  @Test
  void anUnmapThatCopiesIsWaitedForAndDelivers() throws Exception {
    final CountDownLatch copying = new CountDownLatch(1);
    final CountDownLatch go = new CountDownLatch(1);
    final AtomicReference<Thread> slow = new AtomicReference<>();
    final Copier copier =
        (from, fromOffset, to, toOffset, size) -> {
          if (Thread.currentThread() == slow.get()) {
            copying.countDown();
            await(go);
          }
          MemorySegment.copy(from, fromOffset, to, toOffset, size);
        };
    final TestGuest guest = TestGuest.plain();
    final Settings settings =
        new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 300).with(10_000, 2_000);
    try (DmaCore core = new DmaCore(guest, guest, settings, copier, Timing.SYSTEM)) {
      core.strategyAdded(new StrategyRef("one", one, 1, "test", 1, 0));
      core.strategyAdded(new StrategyRef("two", two, 2, "test", 2, 0));
      final DmaDevice device = core.attach(DmaDeviceSpec.of("dev", null));
      device.negotiated(Negotiation.NONE);
      CoreKit.await(() -> core.transitions().isEmpty(), "settled");
      core.use("dev", "one", SwapOptions.DEFAULTS).toCompletableFuture().get(20, TimeUnit.SECONDS);
      CoreKit.await(() -> core.transitions().isEmpty(), "settled");
      final long buffer = guest.buffer(4096, 1);
      final long bus = map(device, buffer, FROM);
      final long left = map(device, guest.buffer(4096, 1), FROM);
      guest.segment(bus, 4096).fill((byte) 7);
      final CountDownLatch fenced = new CountDownLatch(1);
      device.fence(
          timeout -> {
            slow.set(Thread.ofPlatform().unstarted(() -> device.unmap(bus, 4096, FROM, 0)));
            Objects.requireNonNull(slow.get()).start();
            await(copying);
            fenced.countDown();
            return true;
          });
      final var swap = core.use("dev", "two", REVOKE).toCompletableFuture();
      await(fenced);
      CoreKit.await(() -> device.liveMappings() == 1, "the other one is revoked");
      assertThat(swap).as("it waits for the copy").isNotDone();
      assertThat(guest.get(buffer)).isEqualTo(1);
      go.countDown();
      final SwapReport report = swap.get(20, TimeUnit.SECONDS);
      assertThat(report.outcome()).isEqualTo("REVOKED");
      assertThat(report.revokedMappings()).isEqualTo(1);
      Objects.requireNonNull(slow.get()).join();
      assertThat(guest.get(buffer)).as("delivered").isEqualTo(7);
      device.unmap(left, 4096, FROM, 0);
    }
  }

  private static void await(final CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (final InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void ofAnUnmapAndARevokeOneEndsTheMapping() throws Exception {
    final DmaDevice device = kit.device("dev");
    kit.use(device, "one");
    long revoked = 0;
    for (int round = 0; round < 60; round++) {
      final String there = "one".equals(kit.info(device).strategy()) ? "two" : "one";
      final DmaDirection direction = round % 2 == 0 ? FROM : TO;
      final List<long[]> live = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        final long buffer = kit.guest.buffer(4096, 1);
        final long bus = map(device, buffer, direction);
        kit.guest.segment(bus, 4096).fill((byte) 7);
        live.add(new long[] {buffer, bus});
      }
      final AtomicReference<Throwable> failure = new AtomicReference<>();
      final AtomicReference<Thread> driver = new AtomicReference<>();
      device.fence(
          timeout -> {
            driver.set(
                Thread.ofPlatform()
                    .start(
                        () -> {
                          try {
                            live.forEach(m -> device.unmap(m[1], 4096, direction, 0));
                          } catch (final Throwable e) {
                            failure.set(e);
                          }
                        }));
            return true;
          });
      final SwapReport report =
          kit.use(device, there, new SwapOptions(null, 1L, SwapPolicy.REVOKE));
      Objects.requireNonNull(driver.get()).join();
      assertThat(failure.get()).isNull();
      assertThat(report.outcome()).isEqualTo("REVOKED");
      assertThat(device.liveMappings()).isZero();
      revoked += report.revokedMappings();
      if (direction == FROM) {
        final long delivered = live.stream().filter(m -> kit.guest.get(m[0]) == 7).count();
        assertThat(delivered + report.revokedMappings())
            .as("each was delivered or revoked, and none both")
            .isEqualTo(40);
      }
    }
    assertThat(kit.info(device).maps()).isEqualTo(kit.info(device).unmaps());
    assertThat(revoked).isBetween(0L, 60L * 40);
  }
}
