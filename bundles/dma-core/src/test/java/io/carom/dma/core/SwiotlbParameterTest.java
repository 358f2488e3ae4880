package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.SwiotlbParser;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@code swiotlb=} does to devices that work. */
class SwiotlbParameterTest {
  private static final Settings FIXED =
      new Settings("swiotlb-fixed", true, 2_000, SwapPolicy.ADOPT, 500);

  private final CoreKit kit = new CoreKit(TestGuest.plain(), FIXED);
  private final SlotStrategy fixed = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy dynamic = new SlotStrategy(1 << 20, 2);

  @AfterEach
  void close() {
    kit.close();
  }

  private void set(final Settings settings, final String value) {
    kit.core.settings(settings.with(SwiotlbParser.parse(value)));
  }

  private void awaitStrategy(
      final DmaDevice device, final String strategy, final @Nullable ExtentKind kind) {
    CoreKit.await(
        () ->
            strategy.equals(kit.info(device).strategy())
                && kit.info(device).extents() == kind
                && kit.core.transitions().isEmpty(),
        device.name() + " has " + strategy + " on " + kind);
  }

  @Test
  void sizesMakeANewGenerationWhileMappingsLive() {
    kit.add("swiotlb-fixed", fixed, 1);
    final DmaDevice device = kit.device("dev");
    assertThat(fixed.instances).hasSize(1);
    assertThat(fixed.instances.getFirst().spec.slots()).isZero();
    final long buffer = kit.guest.buffer(4096, 7);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    final int generation = kit.info(device).generation();
    set(FIXED, "1024,3");
    CoreKit.await(() -> kit.info(device).generation() == generation + 1, "a new generation");
    assertThat(fixed.instances).hasSize(2);
    assertThat(fixed.instances.get(1).spec.slots()).isEqualTo(1024);
    assertThat(fixed.instances.get(1).spec.areas()).isEqualTo(4);
    assertThat(fixed.instances.get(1).spec.restricted()).isFalse();
    assertThat(kit.core.pools())
        .anyMatch(p -> p.state().equals("ACTIVE") && p.io_tlb_nslabs() == 1024);
    kit.guest.segment(bus, 4096).fill((byte) 9);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    assertThat(kit.guest.get(buffer + 4095)).isEqualTo(9);
    CoreKit.await(() -> fixed.instances.getFirst().closed.get() == 1, "the old pool is closed");
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "the swap ends");
    set(FIXED, "0x3f1,0x4"); // the same after rounding up
    set(FIXED, "1024,4,force");
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "nothing swaps");
    assertThat(kit.info(device).generation()).isEqualTo(generation + 1);
    final DmaDevice second = kit.device("second");
    assertThat(kit.info(second).strategy()).isEqualTo("swiotlb-fixed");
    assertThat(fixed.instances).as("they share the pool").hasSize(2);
  }

  @Test
  void sizesDoNotConcernRegions() {
    kit.add("swiotlb-fixed", fixed, 1);
    final DmaDevice device = kit.regionDevice("dev", 1024, true);
    final int generation = kit.info(device).generation();
    set(FIXED, "4096,8,force");
    assertThat(kit.core.transitions()).isEmpty();
    assertThat(kit.info(device).generation()).isEqualTo(generation);
    assertThat(fixed.instances.getLast().spec.slots()).isZero();
  }

  @Test
  void forceMakesEveryDeviceBounce() {
    final Settings direct = new Settings("direct", true, 2_000, SwapPolicy.ADOPT, 500);
    kit.core.settings(direct);
    kit.add("swiotlb-fixed", fixed, 1);
    final DmaDevice device = kit.device("dev");
    final DmaDevice asked = kit.device("asked");
    kit.use(asked, "direct");
    assertThat(kit.info(device).strategy()).isEqualTo("direct");
    set(direct, "force");
    awaitStrategy(device, "swiotlb-fixed", ExtentKind.RAM);
    awaitStrategy(asked, "swiotlb-fixed", ExtentKind.RAM);
    final long buffer = kit.guest.buffer(4096, 3);
    final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(bus).isNotEqualTo(buffer);
    assertThat(kit.guest.get(bus)).isEqualTo(3);
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(device, "direct"))
        .withMessageContaining("swiotlb=force of io.carom.dma.core makes every device bounce");
    assertThat(kit.core.allowed("dev")).doesNotContain("direct");
    set(direct, "");
    CoreKit.await(() -> "direct".equals(kit.info(device).strategy()), "as configured");
    CoreKit.await(() -> "direct".equals(kit.info(asked).strategy()), "as asked for");
  }

  @Test
  void forceWithoutAStrategyThatBouncesFailsMaps() {
    final DmaDevice device = kit.device("dev");
    set(FIXED, "force");
    CoreKit.await(() -> kit.info(device).strategy() == null, "nothing is legal");
    final long buffer = kit.guest.buffer(4096, 3);
    assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(kit.info(device).noStrategyMaps()).isEqualTo(1);
  }

  @Test
  void noforceLeavesNoPoolInRam() {
    kit.add("swiotlb-fixed", fixed, 1);
    final DmaDevice plain = kit.device("plain");
    final DmaDevice region = kit.regionDevice("region", 1024, false);
    kit.use(region, "swiotlb-device");
    // a pool that a device had on its way is gone only after the next sweep
    CoreKit.await(() -> kit.core.pools().size() == 2, "one pool for each device");
    set(FIXED, "noforce");
    awaitStrategy(plain, "direct", null);
    awaitStrategy(region, "swiotlb-fixed", ExtentKind.DEVICE);
    CoreKit.await(
        () -> kit.core.pools().stream().allMatch(p -> p.extents() == ExtentKind.DEVICE),
        "the pool in RAM is gone");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(plain, "swiotlb-fixed"))
        .withMessageContaining("swiotlb=noforce of io.carom.dma.core leaves no bounce pool in RAM");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> kit.use(region, "swiotlb-fixed", new SwapOptions(ExtentKind.RAM, null, null)))
        .withMessageContaining("swiotlb=noforce");
    set(FIXED, "512");
    awaitStrategy(plain, "swiotlb-fixed", ExtentKind.RAM);
  }

  @Test
  void dynamicTakesThePlaceOfFixedInRam() {
    kit.add("swiotlb-fixed", fixed, 3); // ranked above dynamic
    final DmaDevice plain = kit.device("plain");
    final DmaDevice asked = kit.device("asked");
    kit.use(asked, "swiotlb-fixed");
    final DmaDevice strict = kit.regionDevice("strict", 1024, true);
    set(FIXED, "dynamic");
    assertThat(kit.info(plain).strategy()).as("it is absent").isEqualTo("swiotlb-fixed");
    kit.add("swiotlb-dynamic", dynamic, 2);
    awaitStrategy(plain, "swiotlb-dynamic", ExtentKind.RAM);
    awaitStrategy(strict, "swiotlb-fixed", ExtentKind.DEVICE);
    awaitStrategy(asked, "swiotlb-fixed", ExtentKind.RAM);
    kit.core.strategyRemoved(2);
    awaitStrategy(plain, "swiotlb-fixed", ExtentKind.RAM);
    kit.add("swiotlb-dynamic", dynamic, 4);
    awaitStrategy(plain, "swiotlb-dynamic", ExtentKind.RAM);
    set(FIXED, "");
    awaitStrategy(plain, "swiotlb-fixed", ExtentKind.RAM);
  }
}
