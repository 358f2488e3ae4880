package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDirection;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.dma.core.swap.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Three devices on one pool whose swaps go on at the same time, and what is counted meanwhile. */
class SeveralDevicesTest {
  private static final SwapOptions LONG = new SwapOptions(null, 20_000L, null);
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;

  private final CoreKit kit =
      new CoreKit(TestGuest.plain(), new Settings("one", true, 2_000, SwapPolicy.ADOPT, 2_000));
  private final SlotStrategy one = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 2);
  private final List<DmaDevice> devices = new ArrayList<>();

  SeveralDevicesTest() {
    kit.add("one", one, 1);
    kit.add("two", two, 2);
    for (final String name : List.of("a", "b", "c")) {
      devices.add(kit.device(name));
    }
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "settled");
  }

  @AfterEach
  void close() {
    kit.close();
  }

  private long map(final DmaDevice device) {
    final long bus = device.map(kit.guest.buffer(4096, 1), 4096, FROM, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    return bus;
  }

  @Test
  void eachSwapDrainsItsOwnDeviceAndEndsInItsOwnWay() throws Exception {
    assertThat(one.instances).as("shared").hasSize(1);
    final List<Long> live = new ArrayList<>();
    final List<CompletableFuture<SwapReport>> swaps = new ArrayList<>();
    for (final DmaDevice device : devices) {
      live.add(map(device));
      live.add(map(device));
    }
    swaps.add(kit.core.use("a", "two", LONG).toCompletableFuture());
    swaps.add(kit.core.use("b", "two", LONG).toCompletableFuture());
    swaps.add(
        kit.core
            .use("c", "two", new SwapOptions(null, 300L, SwapPolicy.QUARANTINE))
            .toCompletableFuture());
    CoreKit.await(
        () ->
            kit.core.transitions().stream().filter(t -> t.state().equals("DRAINING")).count() == 3,
        "three drain");
    assertThat(kit.core.transitions()).extracting(TransitionInfo::live).containsExactly(2L, 2L, 2L);
    final long young = map(devices.get(1));
    kit.core.cancel("b");
    final SwapReport c = swaps.get(2).get(20, TimeUnit.SECONDS);
    assertThat(c.outcome()).isEqualTo("QUARANTINED");
    assertThat(c.liveAtEnd()).isEqualTo(2);
    assertThat(one.instances.getFirst().closed.get()).as("b uses it").isZero();
    devices.getFirst().unmap(live.get(0), 4096, FROM, 0);
    devices.getFirst().unmap(live.get(1), 4096, FROM, 0);
    assertThat(swaps.getFirst().get(20, TimeUnit.SECONDS).outcome()).isEqualTo("DRAINED");
    devices.get(1).unmap(young, 4096, FROM, 0);
    assertThat(swaps.get(1).get(20, TimeUnit.SECONDS).outcome()).isEqualTo("CANCELLED");
    assertThat(devices)
        .extracting(d -> kit.info(d).strategy())
        .containsExactly("two", "one", "two");
    final long more = map(devices.get(1));
    devices.get(1).unmap(more, 4096, FROM, 0);
    devices.get(1).unmap(live.get(2), 4096, FROM, 0);
    devices.get(1).unmap(live.get(3), 4096, FROM, 0);
    devices.get(2).unmap(live.get(4), 4096, FROM, 0);
    devices.get(2).unmap(live.get(5), 4096, FROM, 0);
    assertThat(devices).allMatch(d -> d.liveMappings() == 0);
    kit.use(devices.get(1), "two");
    CoreKit.await(() -> one.instances.getFirst().closed.get() == 1, "nobody uses it any more");
  }

  @Test
  void countersGoOnAcrossSwapsCancelsAndServicesThatGo() throws Exception {
    final AtomicBoolean stop = new AtomicBoolean();
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final List<LongAdder> maps = List.of(new LongAdder(), new LongAdder(), new LongAdder());
    final List<DmaDeviceInfo> before = devices.stream().map(kit::info).toList();
    final List<Thread> drivers = new ArrayList<>();
    for (int i = 0; i < devices.size(); i++) {
      final DmaDevice device = devices.get(i);
      final LongAdder count = maps.get(i);
      drivers.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      final long buffer = kit.guest.buffer(4096, 1);
                      while (!stop.get()) {
                        final long bus = device.map(buffer, 4096, FROM, 0);
                        if (bus == DmaDevice.MAPPING_ERROR) {
                          throw new AssertionError("a map failed");
                        }
                        device.unmap(bus, 4096, FROM, 0);
                        count.increment();
                      }
                    } catch (final Throwable e) {
                      failure.set(e);
                    }
                  }));
    }
    long last = 0;
    for (int round = 0; round < 60 && failure.get() == null; round++) {
      final List<CompletableFuture<SwapReport>> swaps = new ArrayList<>();
      for (final DmaDevice device : devices) {
        final String there = "one".equals(kit.info(device).strategy()) ? "two" : "one";
        try {
          swaps.add(kit.core.use(device.name(), there, LONG).toCompletableFuture());
          if (round % 3 == 0) {
            kit.core.cancel(device.name());
          }
        } catch (final IllegalStateException e) {
          // the one before has not ended, or it is too late
        }
      }
      for (final CompletableFuture<SwapReport> swap : swaps) {
        swap.get(20, TimeUnit.SECONDS);
      }
      if (round % 20 == 10) {
        kit.core.strategyRemoved(round < 20 ? 2 : round);
        kit.add("two", two, round + 20);
      }
      final long now = devices.stream().mapToLong(d -> kit.info(d).maps()).sum();
      assertThat(now).as("never back").isGreaterThanOrEqualTo(last);
      last = now;
    }
    stop.set(true);
    for (final Thread driver : drivers) {
      driver.join();
    }
    assertThat(failure.get()).isNull();
    for (int i = 0; i < devices.size(); i++) {
      final DmaDeviceInfo info = kit.info(devices.get(i));
      assertThat(info.maps() - before.get(i).maps()).isEqualTo(maps.get(i).sum());
      assertThat(info.unmaps() - before.get(i).unmaps()).isEqualTo(maps.get(i).sum());
      assertThat(info.live()).isZero();
      assertThat(info.failedMaps()).isZero();
    }
    assertThat(kit.core.history())
        .allMatch(r -> r.atMs() > 0 && r.readyUs() >= 0 && r.readyUs() <= r.publishUs());
    assertThat(kit.core.history())
        .extracting(SwapReport::cause)
        .isSubsetOf("requested", "configured", "cancelled", "service gone", "service came");
  }

  @Test
  void historySaysWhyAndWhen() {
    final long from = System.currentTimeMillis();
    kit.use(devices.getFirst(), "two");
    kit.core.settings(new Settings("two", true, 2_000, SwapPolicy.ADOPT, 2_000));
    CoreKit.await(() -> "two".equals(kit.info(devices.get(2)).strategy()), "it follows");
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "settled");
    kit.core.strategyRemoved(2);
    kit.add("two", two, 9);
    CoreKit.await(() -> "two".equals(kit.info(devices.get(2)).strategy()), "it is back");
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "settled");
    final List<SwapReport> ofC =
        kit.core.history().stream()
            .filter(r -> r.device().equals("c") && r.atMs() >= from)
            .toList();
    assertThat(ofC)
        .extracting(SwapReport::cause)
        .endsWith("configured", "service gone", "service came");
    assertThat(kit.core.history())
        .filteredOn(r -> r.device().equals("a") && r.atMs() >= from)
        .extracting(SwapReport::cause)
        .startsWith("requested");
  }
}
