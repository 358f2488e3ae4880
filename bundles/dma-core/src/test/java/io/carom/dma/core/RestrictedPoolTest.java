package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.memory.RestrictedParser;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.SwiotlbParser;
import io.carom.dma.spi.Extent;
import io.carom.memory.LazyMemory;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RestrictedPoolTest {
  private static final Settings PLAIN = new Settings("one", true, 2_000, SwapPolicy.ADOPT, 500);
  private static final String A = "0000:00:04.0";
  private static final String B = "0000:00:05.0";
  private static final String FREE = "0000:00:06.0";
  private static final String NET = "name=net size=1m devices=00:04.0,00:05.0";
  private static final int SET = Extent.SET_SIZE;

  private final TestGuest guest = new TestGuest(32, 32, true);
  private final CoreKit kit = new CoreKit(guest, PLAIN);
  private final SlotStrategy one = new SlotStrategy(1 << 20, 2);
  private final SlotStrategy two = new SlotStrategy(1 << 20, 2);

  @AfterEach
  void close() {
    kit.close();
  }

  private void pools(final String... texts) {
    kit.core.settings(PLAIN.with(RestrictedParser.parse(texts)));
  }

  private PoolInfo pool(final String name) {
    return kit.core.pools().stream()
        .filter(p -> p.pool().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not in " + kit.core.pools()));
  }

  private static List<Long> fill(final DmaDevice device, final long buffer) {
    final List<Long> live = new ArrayList<>();
    long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    while (bus != DmaDevice.MAPPING_ERROR) {
      live.add(bus);
      bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    }
    return live;
  }

  private static void unmap(final DmaDevice device, final List<Long> live) {
    live.forEach(bus -> device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0));
  }

  @Test
  void devicesShareItAndSpillNowhereElse() {
    pools(NET);
    kit.add("one", one, 1);
    final DmaDevice a = kit.device(A);
    final DmaDevice b = kit.device(B);
    final DmaDevice free = kit.device(FREE);
    assertThat(one.instances).as("one for the two, one for the third").hasSize(2);
    assertThat(one.instances.getFirst().spec.restricted()).isTrue();
    assertThat(one.instances.getFirst().spec.areas()).isEqualTo(1);
    assertThat(one.instances.getFirst().spec.slots()).isEqualTo(3 * 128);
    assertThat(one.instances.getFirst().spec.device()).isNull();
    assertThat(one.instances.getLast().spec.restricted()).isFalse();
    assertThat(pool("one@net").io_tlb_nslabs()).isEqualTo(3 * 128);
    assertThat(pool("one@net").extents()).isEqualTo(ExtentKind.RAM);
    assertThat(pool("one").io_tlb_nslabs()).isEqualTo(4 * 128);
    final long buffer = guest.buffer(4096, 1);
    final List<Long> live = fill(a, buffer);
    assertThat(live).hasSize(3 * 64).allMatch(bus -> bus < 1L << 32);
    assertThat(b.map(buffer, 4096, DmaDirection.TO_DEVICE, 0))
        .as("exhausted, and never the other pool")
        .isEqualTo(DmaDevice.MAPPING_ERROR);
    assertThat(pool("one").io_tlb_used()).isZero();
    final long other = free.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(live).doesNotContain(other);
    free.unmap(other, 4096, DmaDirection.TO_DEVICE, 0);
    unmap(a, live);
    assertThat(fill(b, buffer)).hasSize(3 * 64);
  }

  @Test
  void itIsSharedWithTheHostOnceAndGivenBackWhenUnused() {
    final long pagesBefore = guest.usedPages();
    pools(NET);
    assertThat(guest.pageStateCounters().shareCalls()).isEqualTo(1);
    assertThat(guest.usedPages()).isEqualTo(pagesBefore + 256);
    kit.add("one", one, 1);
    final DmaDevice device = kit.device(A);
    final CoherentBuffer ring = device.allocateCoherent(4096);
    final long buffer = guest.buffer(4096, 5);
    final long bus = device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0);
    assertThat(guest.pageStateCounters().shareCalls())
        .as("neither maps nor coherent memory share anything")
        .isEqualTo(1);
    assertThat(guest.shared(bus)).isTrue();
    pools();
    CoreKit.await(() -> kit.core.pools().stream().anyMatch(p -> p.pool().equals("one")), "swap");
    guest.segment(bus, 4096).fill((byte) 6);
    device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
    assertThat(guest.get(buffer)).isEqualTo(6);
    CoreKit.await(
        () -> kit.core.pools().stream().noneMatch(p -> p.pool().equals("one@net")), "drained");
    assertThat(guest.shared(ring.busAddress())).as("the ring stays where it is").isTrue();
    ring.memory().fill((byte) 9);
    assertThat(guest.get(ring.busAddress() + 4095)).isEqualTo(9);
    final CoherentBuffer later = device.allocateCoherent(4096);
    device.freeCoherent(ring);
    CoreKit.await(() -> !guest.shared(bus), "it is private again");
    device.freeCoherent(later);
    kit.core.strategyRemoved(1);
    CoreKit.await(() -> guest.usedPages() == pagesBefore + 1, "all but the buffer is free");
    assertThat(guest.pageStateCounters().sharedPages()).isZero();
  }

  @Test
  void coherentMemoryIsAlignedToItsOrder() {
    pools(NET);
    kit.add("one", one, 1);
    final DmaDevice a = kit.device(A);
    final DmaDevice b = kit.device(B);
    final CoherentBuffer page = a.allocateCoherent(1);
    final CoherentBuffer three = a.allocateCoherent(12 << 10);
    final CoherentBuffer five = b.allocateCoherent(20_000);
    assertThat(page.busAddress() % 4096).isZero();
    assertThat(three.busAddress() % (16 << 10)).isZero();
    assertThat(five.busAddress() % (32 << 10)).isZero();
    assertThat(three.size()).isEqualTo(12 << 10);
    assertThat(three.memory().toArray(ValueLayout.JAVA_BYTE)).containsOnly((byte) 0);
    assertThat(kit.info(a).coherentBytes()).isEqualTo(16 << 10);
    assertThat(kit.info(b).coherentBytes()).isEqualTo(20 << 10);
    assertThat(pool("one@net").io_tlb_used()).isZero();
    assertThatThrownBy(() -> b.freeCoherent(three)).isInstanceOf(DmaUsageException.class);
    assertThatThrownBy(
            () ->
                a.freeCoherent(
                    new CoherentBuffer(three.busAddress(), three.memory().asSlice(0, 4096))))
        .isInstanceOf(DmaUsageException.class)
        .hasMessageContaining("different size");
    final CoherentBuffer big = a.allocateCoherent(128 << 10);
    assertThat(big.busAddress() % (128 << 10)).isZero();
    assertThatThrownBy(() -> a.allocateCoherent(128 << 10))
        .isInstanceOf(DmaMemoryException.class)
        .hasMessageContaining(A + ": restricted pool net: no 131072 bytes of coherent memory")
        .hasMessageContaining("restrictedPools of io.carom.dma.core");
    a.freeCoherent(big);
    a.freeCoherent(page);
    a.freeCoherent(three);
    b.freeCoherent(five);
    assertThat(kit.info(a).coherentBytes()).isZero();
    assertThat(kit.info(b).coherentBytes()).isZero();
    final CoherentBuffer whole = a.allocateCoherent(SET);
    assertThat(whole.busAddress() % SET).isZero();
    a.freeCoherent(whole);
  }

  @Test
  void coherentMemoryBeyondItsPartTakesSetsThatNobodyOwns() {
    pools("name=net size=1m coherent=0 devices=00:04.0");
    final DmaDevice device = kit.device(A); // no strategy: nobody owns a set
    final CoherentBuffer first = device.allocateCoherent(SET);
    final CoherentBuffer second = device.allocateCoherent(5000);
    assertThat(second.busAddress() % SET).isZero();
    assertThatThrownBy(() -> device.allocateCoherent(SET + 1))
        .isInstanceOf(DmaMemoryException.class)
        .hasMessageContaining("a slot set is the most");
    kit.add("one", one, 1);
    CoreKit.await(() -> "one".equals(kit.info(device).strategy()), "it has a strategy");
    assertThat(pool("one@net").io_tlb_nslabs()).isEqualTo(2 * 128);
    assertThatThrownBy(() -> device.allocateCoherent(1))
        .isInstanceOf(DmaMemoryException.class)
        .hasMessageContaining("no slot set is free");
    device.freeCoherent(second);
    device.freeCoherent(first);
    assertThat(kit.info(device).coherentBytes()).isZero();
  }

  @Test
  void theBoundDeviceBouncesThereAndNowhereElse() {
    pools(NET);
    kit.add("one", one, 1);
    final DmaDevice hint = kit.device(regionSpec(A), new Negotiation(false, false));
    assertThat(kit.info(hint).extents()).isEqualTo(ExtentKind.RAM);
    assertThat(kit.core.allowed(A)).containsExactly("one");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(hint, "direct"))
        .withMessageContaining("binds the device to the pool net, so every map bounces");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(hint, "one", new SwapOptions(ExtentKind.DEVICE, null, null)))
        .withMessageContaining("binds the device to the pool net, so only ram extents");
    kit.core.settings(
        PLAIN.with(RestrictedParser.parse(NET)).with(SwiotlbParser.parse("512,4,noforce")));
    CoreKit.await(() -> kit.core.transitions().isEmpty(), "nothing swaps");
    assertThat(kit.info(hint).strategy()).as("its RAM is set apart").isEqualTo("one");
    assertThat(one.instances).as("and has a size of its own").hasSize(1);
  }

  @Test
  void aDeviceThatAcceptedItsRegionUsesThat() {
    pools(NET);
    kit.add("one", one, 1);
    final DmaDevice strict = kit.device(regionSpec(A), new Negotiation(true, true));
    assertThat(kit.info(strict).extents()).isEqualTo(ExtentKind.DEVICE);
    final CoherentBuffer ring = strict.allocateCoherent(4096);
    assertThat(ring.busAddress()).isGreaterThanOrEqualTo(CoreKit.REGION);
    strict.freeCoherent(ring);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> kit.use(strict, "one", new SwapOptions(ExtentKind.RAM, null, null)))
        .withMessageContaining("only device extents are legal, not those of the restricted pool");
  }

  private static DmaDeviceSpec regionSpec(final String name) {
    return DmaDeviceSpec.of(
        name, new DmaDeviceSpec.Region(CoreKit.REGION, LazyMemory.allocate(1 << 20), SET));
  }

  @Test
  void aDeviceIsBoundAndFreedWhileItWorks() {
    kit.add("one", one, 1);
    final DmaDevice device = kit.device(A);
    final long buffer = guest.buffer(4096, 1);
    final CoherentBuffer ring = device.allocateCoherent(8192);
    final List<Long> live = new ArrayList<>();
    for (int round = 0; round < 6; round++) {
      pools(round % 2 == 0 ? new String[] {NET} : new String[0]);
      final String pool = round % 2 == 0 ? "one@net" : "one";
      live.add(device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0));
      CoreKit.await(
          () ->
              kit.core.pools().stream()
                  .anyMatch(p -> p.pool().equals(pool) && p.state().equals("ACTIVE")),
          "round " + round);
      live.add(device.map(buffer, 4096, DmaDirection.FROM_DEVICE, 0));
      assertThat(live).doesNotContain(DmaDevice.MAPPING_ERROR);
      for (final long bus : live) {
        guest.segment(bus, 4096).fill((byte) (round + 10));
        device.unmap(bus, 4096, DmaDirection.FROM_DEVICE, 0);
        assertThat(guest.get(buffer + 4095)).isEqualTo(round + 10);
        guest.segment(buffer, 4096).fill((byte) 0);
      }
      live.clear();
      CoreKit.await(() -> kit.core.transitions().isEmpty(), "drained");
    }
    device.freeCoherent(ring);
    assertThat(kit.info(device).failedMaps() + kit.info(device).noStrategyMaps()).isZero();
  }

  @Test
  void aSwapInsideItFlows() {
    pools(NET);
    kit.add("two", two, 2);
    kit.add("one", one, 1);
    final DmaDevice a = kit.device(A);
    final DmaDevice b = kit.device(B);
    assertThat(pool("one@net").io_tlb_nslabs()).isEqualTo(3 * 128);
    kit.use(a, "two");
    assertThat(pool("two@net").io_tlb_nslabs()).isPositive();
    kit.use(b, "two");
    CoreKit.await(() -> pool("two@net").io_tlb_nslabs() == 3 * 128, "all sets arrive");
    assertThat(two.instances).hasSize(1);
  }

  @Test
  void wrongPoolsChangeNothing() {
    pools(NET);
    kit.add("one", one, 1);
    final DmaDevice device = kit.device(A);
    final long pages = guest.usedPages();
    final long shares = guest.pageStateCounters().shareCalls();
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> pools("name=x size=1m devices=00:06.0", "name=y size=64m devices=00:07.0"))
        .withMessageContaining("pool y: size=67108864: No low mem")
        .withMessageContaining("lowRamMiB of io.carom.machine");
    assertThat(guest.usedPages()).isEqualTo(pages);
    assertThat(guest.pageStateCounters().shareCalls()).isEqualTo(shares + 1);
    assertThat(guest.pageStateCounters().unshareCalls()).isEqualTo(1);
    assertThat(kit.core.transitions()).isEmpty();
    final long buffer = guest.buffer(4096, 1);
    final long bus = device.map(buffer, 4096, DmaDirection.TO_DEVICE, 0);
    assertThat(pool("one@net").io_tlb_used()).isEqualTo(2);
    device.unmap(bus, 4096, DmaDirection.TO_DEVICE, 0);
  }

  @Test
  void aDeviceThatCannotReachItIsToldSo() {
    pools(NET);
    final DmaDevice device =
        kit.device(DmaDeviceSpec.of(A, null).withDmaMask(0xfff), Negotiation.NONE);
    assertThatThrownBy(() -> device.allocateCoherent(4096))
        .isInstanceOf(DmaMemoryException.class)
        .hasMessageContaining("restricted pool net lies above the device's mask 0xfff");
  }
}
