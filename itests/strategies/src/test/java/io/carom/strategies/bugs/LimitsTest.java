package io.carom.strategies.bugs;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.core.swap.Timing;
import io.carom.strategies.kit.Bytes;
import io.carom.strategies.kit.Driven;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Bugs of what may be mapped at all, each under its commit's subject. */
class LimitsTest {
  private static final String ALL = "io.carom.strategies.kit.Strategies#bouncing";
  private static final int REGION_KIB = 4096;

  /**
   * afc5aa46ed56: requests were larger than what can be bounced. So what is said to be the largest
   * must be mapped, at the worst offset, and a driver that splits there never sees "too big".
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void forceSwiotlbMaxMappingSizeOnAnUntrustedDevice(final Subject subject) {
    try (World world = new World(subject)) {
      int number = 0;
      for (final long mask : new long[] {0, 0x1ff, 0xfff, 0xffff}) {
        final Driven device =
            world.device(world.spec("dev" + number++, REGION_KIB).withMinAlignMask(mask));
        final long most = device.dma.maxMappingSize();
        assertThat(most).isBetween(64L << 10, 1L << 30);
        final int size = Math.toIntExact(Math.min(most, 4 << 20));
        final long buffer = world.guest.buffer(size + 0x20000L, 0x21);
        final long worst = ((buffer + 0xffff) & ~0xffffL) + mask;
        final long bus = device.mapped(worst, size, DmaDirection.BIDIRECTIONAL);
        Bytes.assertAll(device.read(bus, size), 0x21);
        device.unmap(bus, size, DmaDirection.BIDIRECTIONAL);
        assertThat(world.info(device).tooBig()).isZero();
        world.guest.free(buffer, (size + 0x20000L + 4095) >> 12);
      }
    }
  }

  /**
   * Bigger than anything is "too big", not "full": Linux says "full" with 4 slots of 32768 used.
   */
  @ParameterizedTest
  @MethodSource(ALL)
  void tooBigIsNotFull(final Subject subject) {
    try (World world = new World(subject, new Guest(32, 64, false, 0), Timing.SYSTEM)) {
      final Driven device = world.device("dev", 512);
      final long most = device.dma.maxMappingSize();
      final long size = Math.max(most + 1, 40L << 20); // more than there is below 4 GiB
      final long buffer = world.guest.buffer(size, 0);
      assertThat(device.map(buffer, size, DmaDirection.TO_DEVICE))
          .isEqualTo(DmaDevice.MAPPING_ERROR);
      assertThat(world.info(device).tooBig()).isEqualTo(1);
      assertThat(world.info(device).full()).isZero();
    }
  }

  /** 057e5e07420c: memory of a device was copied as if it were RAM. */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#all")
  void skipSwiotlbBounceForDmaAttrMmio(final Subject subject) {
    try (World world = new World(subject)) {
      final DmaDeviceSpec.Region peer = world.region(64);
      final Driven device = world.device("dev", REGION_KIB);
      final long bus =
          device.dma.map(peer.busAddress(), 4096, DmaDirection.BIDIRECTIONAL, DmaAttributes.MMIO);
      assertThat(bus).isEqualTo(peer.busAddress());
      assertThat(world.info(device).bounced()).isZero();
      assertThat(world.usedSlots()).isZero();
      device.dma.unmap(bus, 4096, DmaDirection.BIDIRECTIONAL, DmaAttributes.MMIO);
      assertThat(world.info(device).live()).isZero();
      assertThat(peer.memory().asSlice(0, 4096).mismatch(world.region(4).memory().asSlice(0, 4096)))
          .isEqualTo(-1);
    }
  }

  /**
   * 911655ab1dfb: a wrong limit for a pool that cannot grow let addresses out that are too high.
   */
  @ParameterizedTest
  @MethodSource("io.carom.strategies.kit.Strategies#onRam")
  void fixDefaultSwiotlbLimit(final Subject subject) {
    try (World world = new World(subject, new Guest(32, 64, false, 0), Timing.SYSTEM)) {
      final Driven device = world.device(world.spec("dev", 0).withDmaMask(0xffff_ffffL));
      final long buffer = world.guest.buffer(64 << 10, 1);
      final List<Long> held = new ArrayList<>();
      for (int i = 0; i < 2000; i++) {
        final long bus = device.dma.map(buffer, 20_000, DmaDirection.TO_DEVICE, 0);
        if (bus != DmaDevice.MAPPING_ERROR) {
          assertThat(bus + 19_999).isLessThan(1L << 32);
          held.add(bus);
        }
      }
      for (final PoolOccupancy pool : world.occupancies()) {
        for (final PoolOccupancy.Run extent : pool.extents()) {
          assertThat(World.address(extent.busAddress()) + (extent.slots() << 11))
              .isLessThanOrEqualTo(1L << 32);
        }
      }
      assertThat(world.info(device).mask()).isZero();
      held.forEach(bus -> device.unmap(bus, 20_000, DmaDirection.TO_DEVICE));
    }
  }

  /** The kernel's check behind the map: a pool above the mask fails, and nothing stays used. */
  @ParameterizedTest
  @MethodSource(ALL)
  void poolAboveTheMask(final Subject subject) {
    try (World world = new World(subject)) {
      final Driven device = world.device(world.spec("dev", REGION_KIB).withDmaMask(0xfff));
      final long buffer = world.guest.buffer(4096, 1);
      for (int i = 0; i < 100; i++) {
        assertThat(device.map(buffer, 4096, DmaDirection.TO_DEVICE))
            .isEqualTo(DmaDevice.MAPPING_ERROR);
      }
      final PoolInfo pool = world.pool(device);
      if (pool != null && pool.io_tlb_nslabs() != 0) { // memory is there, and out of reach
        assertThat(world.info(device).mask()).isEqualTo(100);
      }
      assertThat(world.info(device).failedMaps()).isEqualTo(100);
      assertThat(world.usedSlots()).isZero();
      assertThat(world.info(device).live()).isZero();
    }
  }
}
