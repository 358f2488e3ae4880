package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bugs of coherent memory that comes from bounce memory, each under its commit's subject. */
class CoherentAllocationTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";

  /** 04867a7a3332 (CVE-2024-35814): with an odd hint half a page was given to two. */
  @ParameterizedTest
  @MethodSource(ALL)
  void fixDoubleAllocationOfSlotsDueToBrokenAlignmentHandling(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", 1024);
      final long buffer = world.guest.buffer(4096, 9);
      final List<CoherentBuffer> pages = new ArrayList<>();
      final List<Long> bounces = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        bounces.add(device.mapped(buffer, 700, DmaDirection.TO_DEVICE)); // an odd slot each time
        final CoherentBuffer made = device.dma.allocateCoherent(0x2000);
        assertThat(made.busAddress() & 0xfff).isZero();
        made.memory().fill((byte) (i + 1));
        pages.add(made);
      }
      for (int i = 0; i < pages.size(); i++) {
        final CoherentBuffer made = pages.get(i);
        Bytes.assertAll(device.read(made.busAddress(), 0x2000), i + 1);
        Bytes.assertAll(device.read(bounces.get(i), 700), 9);
      }
      bounces.forEach(bus -> device.unmap(bus, 700, DmaDirection.TO_DEVICE));
      pages.forEach(device.dma::freeCoherent);
      assertThat(world.info(device).coherentBytes()).isZero();
    }
  }

  /** 823353b7cf0e: pages that are none were handed out silently; here the region is refused. */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#onRegion")
  void enforcePageAlignmentInSwiotlbAlloc(final Subject subject) {
    try (World world = new World(subject)) {
      final DmaDeviceSpec.Region region = world.region(1024);
      final DmaDeviceSpec.Region odd =
          new DmaDeviceSpec.Region(region.busAddress() + 0x800, region.memory(), 256 << 10);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> world.core.attach(DmaDeviceSpec.of("odd", odd)))
          .withMessageContaining("is not aligned to 256 KiB");
      assertThat(world.core.devices()).isEmpty();
    }
  }

  /** cbf53074a528: dma_alloc_coherent aligns to the next power of two, not to a page. */
  @ParameterizedTest
  @MethodSource(ALL)
  void honourDmaAllocCoherentAlignmentInSwiotlbAlloc(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", 1024);
      for (final int kib : new int[] {4, 12, 4, 8, 20, 4, 64, 36}) {
        final CoherentBuffer made = device.dma.allocateCoherent((long) kib << 10);
        final long align = Long.highestOneBit(((long) kib << 10) * 2 - 1);
        assertThat(made.busAddress() & (align - 1)).as("%d KiB", kib).isZero();
        Bytes.assertAll(made.memory().toArray(ValueLayout.JAVA_BYTE), 0);
      }
    }
  }

  /** 75961ffb5cb3: a restricted pool and a growing strategy met an unset list. */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#onRegion")
  void initialiseRestrictedPoolListHead(final Subject subject) {
    try (World world = new World(subject)) {
      final DmaDeviceSpec spec = world.spec("dev", 512);
      final Driven device = world.attach(spec, new Negotiation(true, true));
      world.use(device, subject);
      final long buffer = world.guest.buffer(256 << 10, 4);
      final DmaDeviceSpec.Region region = spec.region();
      assertThat(region).isNotNull();
      final List<Long> held = new ArrayList<>();
      long bus = device.map(buffer, 10_000, DmaDirection.TO_DEVICE);
      assertThat(bus).isNotNegative();
      while (bus >= 0) { // until it is exhausted: never beyond, never from RAM
        assertThat(bus)
            .isGreaterThanOrEqualTo(region.busAddress() + region.reserveBytes())
            .isLessThanOrEqualTo(region.busAddress() + region.memory().byteSize() - 10_000);
        held.add(bus);
        bus = device.map(buffer, 10_000, DmaDirection.TO_DEVICE);
      }
      assertThat(world.core.pools()).allMatch(p -> p.extents() == ExtentKind.DEVICE);
      held.forEach(b -> device.unmap(b, 10_000, DmaDirection.TO_DEVICE));
      assertThat(world.usedSlots()).isZero();
    }
  }

  /** Coherent memory that is out says where and how much, and nothing is lost by asking. */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#onRegion")
  void exhaustionIsSaid(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device("dev", 512);
      final List<CoherentBuffer> held = new ArrayList<>();
      String said = "";
      while (said.isEmpty()) {
        try {
          held.add(device.dma.allocateCoherent(64 << 10));
        } catch (final DmaMemoryException e) {
          said = String.valueOf(e.getMessage());
        }
      }
      assertThat(said).contains("dev", "65536");
      held.forEach(device.dma::freeCoherent);
      assertThat(device.dma.allocateCoherent(256 << 10).size()).isEqualTo(256 << 10);
    }
  }
}
