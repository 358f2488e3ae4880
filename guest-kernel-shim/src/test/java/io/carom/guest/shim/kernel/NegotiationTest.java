package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.Negotiation;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** Features, and the combinations of SWIOTLB bit and capability. */
class NegotiationTest {
  private static final long REGION = 4 << 20;

  private static void boot(final TestGuest test, final FakeBlk device) {
    test.bus.add("00:04.0", device);
    test.boot();
  }

  @Test
  void strictDeviceGetsItsBitAndItsRegion() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 2, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB;
      device.demanded = VirtioFeatures.SWIOTLB;
      boot(test, device);
      final var dma = test.dmaDevice();
      assertThat(dma.negotiations).containsExactly(new Negotiation(true, true));
      final DmaDeviceSpec.Region region = dma.spec.region();
      assertThat(region).isNotNull();
      assertThat(region.busAddress()).isEqualTo(device.base(2));
      assertThat(region.memory().byteSize()).isEqualTo(REGION);
      assertThat(region.reserveBytes()).isEqualTo(RegionSizing.reserveBytes(2, 64));
      test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }

  @Test
  void hintGivesTheRegionWithoutTheBit() {
    try (TestGuest test = new TestGuest()) {
      boot(test, test.blk("disk0", 1, 64, REGION));
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(false, true));
      assertThat(test.dmaDevice().spec.region()).isNotNull();
    }
  }

  @Test
  void compatDeviceWorksWhenTheBitIsRefused() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB;
      test.refuseSwiotlb();
      boot(test, device);
      assertThat(device.accepted & VirtioFeatures.SWIOTLB).isZero();
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(false, true));
    }
  }

  @Test
  void strictDeviceIsFailedWhenTheBitIsRefused() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB;
      device.demanded = VirtioFeatures.SWIOTLB;
      test.refuseSwiotlb();
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(device.status())
          .isEqualTo(VirtioStatus.FAILED | VirtioStatus.DRIVER | VirtioStatus.ACKNOWLEDGE);
      assertThat(String.join("\n", test.guest.dmesg()))
          .contains("virtio: device refuses features: 3");
    }
  }

  @Test
  void bitWithoutCapabilityIsFailed() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, 0);
      device.offered |= VirtioFeatures.SWIOTLB;
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(device.status() & VirtioStatus.FAILED).isNotZero();
      assertThat(device.command() & ConfigSpaceDescriptor.COMMAND_BUS_MASTER).isZero();
    }
  }

  @Test
  @DisplayName("S5 G: bits that are unknown, reserved or not understood are not accepted")
  void unknownBitsAreNotAccepted() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, 0);
      device.offered = -1L & ~VirtioFeatures.SWIOTLB & ~VirtioFeatures.BLK_SIZE_MAX;
      boot(test, device);
      assertThat(test.guest.blockDevices()).hasSize(1);
      final long unknown = 1L << 24 | 1L << 30 | 1L << 37 | 1L << 41 | -1L << 44 | 1L << 17;
      assertThat(device.accepted & unknown).isZero();
    }
  }

  @Test
  void legacyDeviceIsRefused() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, 0);
      device.offered = VirtioFeatures.INDIRECT_DESC;
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(String.join("\n", test.guest.dmesg())).contains("VERSION_1 is not offered");
    }
  }

  @Test
  void queueThatIsTooSmallIsRefusedAndOddOnesRoundedDown() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk tiny = test.blk("tiny", 1, 2, 0);
      tiny.offered = VirtioFeatures.VERSION_1; // a chain of three does not fit
      test.bus.add("00:04.0", tiny);
      test.bus.add("00:05.0", test.blk("odd", 1, 100, 0));
      test.boot();
      assertThat(test.guest.blockDevices()).hasSize(1);
      assertThat(test.vda().queueSize()).isEqualTo(64);
    }
  }
}
