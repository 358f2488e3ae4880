package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.SwapOptions;
import io.carom.dma.spi.DmaStrategy;
import io.carom.memory.LazyMemory;
import io.carom.memory.LentPages;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What outlives its device, its strategy, or a swap, and must not be given to two. */
final class LeftBehindTest {
  private static final SwapOptions DEVICE = new SwapOptions(ExtentKind.DEVICE, null, null);

  private final NeedingStrategy needing = new NeedingStrategy();

  private CoreKit kit() {
    final CoreKit kit = new CoreKit();
    kit.add("slots", new SlotStrategy(1 << 20, 1), 1);
    kit.add("needing", needing, 2);
    return kit;
  }

  @Test
  void aLentPageThatIsMappedInPlaceCanBeUnmapped() {
    needing.planned = 1 << 20;
    try (CoreKit kit = kit()) {
      final DmaDevice lender = kit.device("lender");
      kit.use(lender, "needing");
      final DmaDevice other = kit.device("other");
      kit.use(other, "direct");
      final LentPages page = Objects.requireNonNull(kit.core.lender().borrow(1, pages -> false));
      final long bus = other.map(page.address(), 4096, DmaDirection.FROM_DEVICE, 0);
      assertThat(bus).isEqualTo(page.address());
      other.syncForCpu(bus + 100, 200, DmaDirection.FROM_DEVICE);
      other.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
      assertThat(other.liveMappings()).isZero();
      kit.core.lender().giveBack(page);
    }
  }

  @Test
  void aRegionIsFoundAsItWasLeft() {
    try (CoreKit kit = kit()) {
      final DmaDeviceSpec spec =
          DmaDeviceSpec.of(
              "dev",
              new DmaDeviceSpec.Region(CoreKit.REGION, LazyMemory.allocate(1 << 20), 256 << 10));
      final DmaDevice first = kit.device(spec, Negotiation.NONE);
      kit.use(first, "needing", DEVICE);
      final ReachableBuffer held = Objects.requireNonNull(first.allocateReachable(8192));
      final long buffer = kit.guest.buffer(4096, 5);
      final long mapped = first.map(buffer, 4096, DmaDirection.BIDIRECTIONAL, 0);
      first.close();

      final DmaDevice second = kit.device(spec, Negotiation.NONE);
      kit.use(second, "needing", DEVICE);
      final Set<Long> taken = new HashSet<>();
      long bus;
      while ((bus = second.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
          != DmaDevice.MAPPING_ERROR) {
        taken.add(bus);
      }
      assertThat(taken)
          .hasSize(192 - 3) // 768 KiB but for what the first still has
          .doesNotContain(mapped, held.address(), held.address() + 4096);
      second.unmap(taken.iterator().next(), 4096, DmaDirection.TO_DEVICE, 0);
      first.unmap(mapped, 4096, DmaDirection.BIDIRECTIONAL, 0);
      first.freeReachable(held);
      CoreKit.await(
          () -> second.map(buffer, 4096, DmaDirection.TO_DEVICE, 0) != DmaDevice.MAPPING_ERROR,
          "what the first held is the second's");
    }
  }

  @Test
  void aClosedDeviceLeavesNoGenerationBehind() {
    try (CoreKit kit = kit()) {
      final long before = kit.guest.usedPages();
      for (int i = 0; i < 300; i++) { // more than a table that leaks would like
        final DmaDevice device = kit.device("dev" + i);
        kit.use(device, "needing");
        final long buffer = kit.guest.buffer(4096, 1);
        final long bus = device.map(buffer, 4096, DmaDirection.BIDIRECTIONAL, 0);
        kit.guest.ram().set(ValueLayout.JAVA_BYTE, bus, (byte) i);
        device.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL, 0);
        assertThat(kit.guest.get(buffer)).isEqualTo(i & 0xff);
        kit.guest.free(buffer, 1);
        device.close();
      }
      assertThat(kit.core.generations()).isLessThan(16);
      CoreKit.await(() -> kit.guest.usedPages() == before, "all pages are free");
    }
  }

  @Test
  void oneThrottledStripeIsWorthWaitingFor() {
    needing.throttledStripe = 0;
    needing.stripes = 2;
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      kit.use(device, "needing");
      final long buffer = kit.guest.buffer(4096, 1);
      assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(kit.info(device).throttled() + kit.info(device).full()).isEqualTo(1);
      final Thread waiting =
          Thread.ofPlatform()
              .start(
                  () -> device.map(buffer, 4096, DmaDirection.TO_DEVICE, DmaAttributes.MAY_SLEEP));
      CoreKit.await(
          () -> waiting.getState() == Thread.State.TIMED_WAITING || !waiting.isAlive(),
          "the map waits");
      assertThat(waiting.isAlive()).isTrue();
    }
  }

  @Test
  void aMappingThatLivesOnDoesNotHoldTheCodeThatMadeIt() {
    try (CoreKit kit = kit()) {
      final DmaDevice device = kit.device("dev");
      final WeakReference<DmaStrategy> code = added(kit, 7);
      kit.use(device, "goes");
      final long bus = device.map(1 << 20, 4096, DmaDirection.TO_DEVICE, 0);
      kit.core.strategyRemoved(7);
      CoreKit.await(
          () -> {
            System.gc();
            return code.get() == null;
          },
          "the strategy is collected");
      assertThat(device.liveMappings()).isEqualTo(1);
      device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
      CoreKit.await(
          () -> kit.core.pools().stream().noneMatch(pool -> pool.strategy().equals("goes")),
          "its pool ends");
    }
  }

  private static WeakReference<DmaStrategy> added(final CoreKit kit, final int id) {
    final DmaStrategy strategy = new SlotStrategy(1 << 20, 1);
    kit.add("goes", strategy, id);
    return new WeakReference<>(strategy);
  }
}
