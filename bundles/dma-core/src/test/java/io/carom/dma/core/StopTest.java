package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.swap.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The core stops while devices have mappings. */
class StopTest {
  private static final DmaDirection FROM = DmaDirection.FROM_DEVICE;

  private final SlotStrategy one = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 2);

  private CoreKit kit(final long stopMs) {
    final CoreKit kit =
        new CoreKit(
            TestGuest.plain(),
            new Settings("one", true, 20_000, SwapPolicy.ADOPT, 300).with(1_000, stopMs));
    kit.add("one", one, 1);
    kit.add("two", two, 2);
    return kit;
  }

  private static long map(final CoreKit kit, final DmaDevice device, final long buffer) {
    final long bus = device.map(buffer, 4096, FROM, 0);
    assertThat(bus).isNotEqualTo(DmaDevice.MAPPING_ERROR);
    kit.guest.segment(bus, 4096).fill((byte) 7);
    return bus;
  }

  @Test
  void whatHoldsItIsNamedAndCanStillBeUnmapped() {
    final CoreKit kit = kit(60);
    final DmaDevice idle = kit.device("idle");
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = map(kit, device, buffer);
    final List<String> holding = kit.core.stop();
    assertThat(holding).hasSize(1);
    assertThat(holding.getFirst())
        .startsWith("dev holds 1 mappings: 0x" + Long.toHexString(bus) + " 4096 bytes FROM_DEVICE ")
        .endsWith(" ms old");
    assertThat(device.map(buffer, 4096, FROM, 0)).isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(idle.map(buffer, 4096, FROM, 0)).isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThatIllegalStateException()
        .isThrownBy(() -> kit.core.use("dev", "two", SwapOptions.DEFAULTS))
        .withMessageContaining("the DMA core has stopped");
    device.unmap(bus, 4096, FROM, 0);
    assertThat(kit.guest.get(buffer)).isEqualTo(7);
    assertThat(device.liveMappings()).isZero();
    device.close();
  }

  @Test
  void itWaitsForWhatEndsInTimeAndGivesTheMemoryBack() throws Exception {
    final CoreKit kit = kit(20_000);
    final long pages = kit.guest.usedPages();
    final DmaDevice device = kit.device("dev");
    final long buffer = kit.guest.buffer(4096, 1);
    final long bus = map(kit, device, buffer);
    final List<String> holding = new ArrayList<>();
    final Thread stop = Thread.ofPlatform().start(() -> holding.addAll(kit.core.stop()));
    CoreKit.await(() -> kit.info(device).strategy() == null, "nothing maps any more");
    assertThat(stop.isAlive()).as("it waits").isTrue();
    device.unmap(bus, 4096, FROM, 0);
    assertThat(kit.guest.get(buffer)).isEqualTo(7);
    stop.join(TimeUnit.SECONDS.toMillis(20));
    assertThat(stop.isAlive()).isFalse();
    assertThat(holding).isEmpty();
    assertThat(kit.core.pools()).isEmpty();
    assertThat(kit.guest.usedPages()).isEqualTo(pages + 1); // the buffer
    assertThat(one.instances).allMatch(i -> i.closed.get() == 1);
  }

  @Test
  void aDrainIsCutShortAndSaysSo() throws Exception {
    final CoreKit kit = kit(20);
    final DmaDevice device = kit.device("dev");
    final long bus = map(kit, device, kit.guest.buffer(4096, 1));
    final var swap = kit.core.use("dev", "two", SwapOptions.DEFAULTS).toCompletableFuture();
    CoreKit.await(
        () -> kit.core.transitions().stream().anyMatch(t -> t.state().equals("DRAINING")),
        "draining");
    kit.core.stop();
    final var report = swap.get(20, TimeUnit.SECONDS);
    assertThat(report.outcome()).isEqualTo("ADOPTED");
    assertThat(report.note()).startsWith("the DMA core stops: the drain was cut short");
    device.unmap(bus, 4096, FROM, 0);
  }

  @Test
  void noThreadOfTheCoreIsLeft() {
    final Set<Thread> before = Set.copyOf(Thread.getAllStackTraces().keySet());
    final CoreKit kit = kit(20);
    kit.device("dev");
    final List<Thread> made =
        Thread.getAllStackTraces().keySet().stream()
            .filter(t -> t.getName().startsWith("dma-") && !before.contains(t))
            .toList();
    assertThat(made).isNotEmpty();
    kit.core.stop();
    CoreKit.await(() -> made.stream().noneMatch(Thread::isAlive), "its threads end");
  }
}
