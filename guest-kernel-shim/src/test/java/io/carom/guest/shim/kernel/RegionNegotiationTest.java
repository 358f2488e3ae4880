package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.DmaDeviceSpec.Region;
import io.carom.dma.Negotiation;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeDma;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.RegionSizing;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The driver's rules of the SWIOTLB proposal and of VIRTIO_F_DMB. */
class RegionNegotiationTest {
  private static final long REGION = 4 << 20;
  private static final long DMB = 1L << VirtioSettings.DEFAULTS.dmbBit();
  private static final long PACKED = VirtioFeatures.RING_PACKED;

  private static void boot(final TestGuest test, final FakeBlk device) {
    test.bus.add("00:04.0", device);
    test.boot();
  }

  private static String log(final TestGuest test) {
    return String.join("\n", test.guest.dmesg());
  }

  /** What the DMA core was told of the region of a function of the device in slot 4. */
  private static Region region(final TestGuest test, final int function) {
    final FakeDma.@Nullable Device device = test.dma.devices.get("0000:00:04." + function);
    final @Nullable Region region = device == null ? null : device.spec.region();
    if (region == null) {
      throw new AssertionError("function " + function + " has no region: " + log(test));
    }
    return region;
  }

  private static void expectFailed(final TestGuest test, final FakeBlk device, final String why) {
    assertThat(test.guest.blockDevices()).isEmpty();
    assertThat(device.status() & VirtioStatus.FAILED).isNotZero();
    assertThat(log(test)).contains(why);
    assertThat(test.memory.pageMap().freePages()).isEqualTo(test.memory.pageMap().totalPages());
  }

  /** A write that lies in the region, as the DMA core would map it there, and back. */
  private static void io(final TestGuest test, final FakeBlk device) {
    test.dma.reachableRoom.set(1 << 20);
    final var buffer = test.vda().allocateBuffer(4096);
    assertThat(buffer).isNotNull();
    for (final BlockOp op : List.of(BlockOp.WRITE, BlockOp.READ)) {
      final var request = test.request(op, 8, 0);
      request.buffer = buffer.address();
      request.length = 4096;
      buffer.memory().fill((byte) (op == BlockOp.WRITE ? 0x5a : 0));
      test.vda().submit(request);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
    final byte[] wanted = new byte[4096];
    Arrays.fill(wanted, (byte) 0x5a);
    assertThat(buffer.memory().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(wanted);
    assertThat(device.disk().asSlice(8 * 512, 4096).toArray(ValueLayout.JAVA_BYTE))
        .isEqualTo(wanted);
    test.vda().freeBuffer(buffer);
  }

  @Test
  @DisplayName("W2 W11 G: the bit is accepted, and its number is a setting")
  void bitNumber() {
    try (TestGuest test = new TestGuest()) {
      test.virtio = new VirtioSettings(true, 45, 44, 64, true, List.of());
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= 1L << 45;
      device.demanded = 1L << 45;
      boot(test, device);
      assertThat(device.accepted & 1L << 45).isNotZero();
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(true, true));
    }
  }

  @Test
  @DisplayName("W4 G: the bit without a capability is FAILED, also when its number is another")
  void bitWithoutCapability() {
    try (TestGuest test = new TestGuest()) {
      test.virtio = new VirtioSettings(true, 45, 44, 64, true, List.of());
      final FakeBlk device = test.blk("disk0", 1, 64, 0);
      device.offered |= 1L << 45;
      boot(test, device);
      expectFailed(test, device, "SWIOTLB is offered without a SWIOTLB capability");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0, PACKED})
  @DisplayName("W3 W11 G: by offsets nothing but offsets is published, and never offset 0")
  void offsets(final long layout) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB | layout;
      device.config[device.regionCapability + RegionCapDescriptor.FLAGS] =
          RegionCapDescriptor.FLAG_OFFSETS;
      device.offsets = true;
      boot(test, device);
      io(test, device);
      assertThat(region(test, 0).reserveBytes()).isEqualTo(RegionSizing.reserveBytes(1, 64));
    }
  }

  @Test
  @DisplayName("W10 G: without the bit the region is used by bus addresses, whatever the flag")
  void offsetsOnlyOnceAccepted() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.config[device.regionCapability + RegionCapDescriptor.FLAGS] =
          RegionCapDescriptor.FLAG_OFFSETS;
      boot(test, device);
      io(test, device);
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(false, true));
    }
  }

  @Test
  @DisplayName("W10 G: all or nothing per queue means the region, also without the bit")
  void allOrNothing() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.config[device.regionCapability + RegionCapDescriptor.FLAGS] =
          RegionCapDescriptor.FLAG_ALL_OR_NOTHING;
      boot(test, device);
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(true, true));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("W6 G: a region in RAM that firmware set apart, and one that it did not")
  void regionInRam(final boolean setApart) {
    try (TestGuest test = new TestGuest()) {
      final long address = 4 << 20;
      final long pages = REGION / 4096;
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB;
      final int at = device.regionCapability;
      device.config[at + VirtioPciCapDescriptor.BAR] = (byte) RegionCapDescriptor.SYSTEM_MEMORY;
      device.put(at + VirtioPciCapDescriptor.OFFSET, 4, address);
      if (setApart) {
        assertThat(test.memory.pageMap().claim(pages, 1, address, address + REGION))
            .isEqualTo(address);
        boot(test, device);
        assertThat(region(test, 0).busAddress()).isEqualTo(address);
        assertThat(region(test, 0).memory().byteSize()).isEqualTo(REGION);
        io(test, device);
      } else {
        boot(test, device);
        expectFailed(test, device, "was not set apart");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0x100, 0x7fff_ffff_f000L, -4096})
  @DisplayName("H26 G: a region in RAM where there is none")
  void regionInNoRam(final long address) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 64, REGION);
      device.offered |= VirtioFeatures.SWIOTLB;
      final int at = device.regionCapability;
      device.config[at + VirtioPciCapDescriptor.BAR] = (byte) RegionCapDescriptor.SYSTEM_MEMORY;
      device.put(at + VirtioPciCapDescriptor.OFFSET, 4, address);
      device.put(at + VirtioPciCapDescriptor.OFFSET_HIGH, 4, address >>> 32);
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(device.status() & VirtioStatus.FAILED).isNotZero();
    }
  }

  @Test
  @DisplayName("W6 G: functions of a device share the region of one of them by parts")
  void sharedByFunctions() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk owner = test.blk("disk0", 1, 16, REGION);
      final FakeBlk other = test.blk("disk1", 1, 16, 0);
      owner.put(0x0e, 1, 0x80); // multifunction
      other.put(0x0e, 1, 0x80);
      owner.config[owner.regionCapability + RegionCapDescriptor.FUNCTION] =
          1 << RegionCapDescriptor.SHARERS_SHIFT; // two, less one
      final byte[] body = new byte[RegionCapDescriptor.SIZE_64];
      System.arraycopy(owner.config, owner.regionCapability, body, 0, body.length);
      body[VirtioPciCapDescriptor.BAR] = (byte) (RegionCapDescriptor.OF_FUNCTION | 2);
      other.capability(body);
      other.regionOf = owner;
      test.bus.add("00:04.0", owner);
      test.bus.add("00:04.1", other);
      test.boot();
      assertThat(test.guest.blockDevices()).as(log(test)).hasSize(2);
      final Region first = region(test, 0);
      final Region second = region(test, 1);
      assertThat(first.busAddress()).isEqualTo(owner.base(2));
      assertThat(second.busAddress()).isEqualTo(owner.base(2) + REGION / 2);
      assertThat(first.memory().byteSize()).isEqualTo(REGION / 2);
      assertThat(second.memory().byteSize()).isEqualTo(REGION / 2);
      first.memory().fill((byte) 1);
      assertThat(second.memory().get(ValueLayout.JAVA_BYTE, 0)).isZero();
    }
  }

  /** A device with a DMB region, id 7. */
  private static FakeBlk dmb(final TestGuest test) {
    final FakeBlk device = test.blk("disk0", 1, 64, REGION);
    final int at = device.regionCapability;
    device.config[at + VirtioPciCapDescriptor.CFG_TYPE] = VirtioPciCapDescriptor.TYPE_SHARED_MEMORY;
    device.config[at + VirtioPciCapDescriptor.ID] = 7;
    device.dmbRegion = 7;
    device.offered |= DMB;
    return device;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, PACKED, VirtioFeatures.ORDER_PLATFORM})
  @DisplayName("DMB G: accepted with what it needs; offsets of the region found by its id")
  void dmbAccepted(final long more) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      device.offered |= more;
      device.offsets = true;
      boot(test, device);
      assertThat(device.accepted & DMB).isNotZero();
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(true, true));
      assertThat(region(test, 0).busAddress()).isEqualTo(device.base(2));
      io(test, device);
    }
  }

  @Test
  @DisplayName("DMB G: not accepted without ACCESS_PLATFORM, ORDER_PLATFORM or its region")
  void dmbNotAccepted() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      device.offered &= ~VirtioFeatures.ACCESS_PLATFORM;
      boot(test, device);
      assertThat(device.accepted & DMB).isZero();
      assertThat(test.dmaDevice().negotiations).containsExactly(new Negotiation(false, false));
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      device.offered |= VirtioFeatures.ORDER_PLATFORM;
      test.virtio = VirtioSettings.DEFAULTS.withDenied("ORDER_PLATFORM");
      boot(test, device);
      assertThat(device.accepted & DMB).isZero();
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      device.dmbRegion = 8; // no such region
      boot(test, device);
      assertThat(device.accepted & DMB).isZero();
      assertThat(test.dmaDevice().spec.region()).isNull();
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      test.virtio = new VirtioSettings(true, 27, 44, 0xff, true, List.of());
      boot(test, device); // its register would lie behind the common configuration
      assertThat(device.accepted & DMB).isZero();
    }
  }

  @Test
  @DisplayName("DMB G: found again after each negotiation; kept, replaced, or FAILED when live")
  void dmbLifetime() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = dmb(test);
      device.offsets = true;
      final byte[] second = new byte[VirtioPciCapDescriptor.SIZE_64];
      System.arraycopy(device.config, device.regionCapability, second, 0, second.length);
      second[VirtioPciCapDescriptor.ID] = 9;
      second[VirtioPciCapDescriptor.LENGTH + 2] = 0x20; // half as long
      device.capability(second);
      boot(test, device);
      io(test, device);
      device.needsReset();
      test.awaitReset();
      io(test, device); // the same region: what was published stays valid
      device.dmbRegion = 9;
      device.needsReset();
      test.await("the end", () -> (device.status() & VirtioStatus.FAILED) != 0);
      assertThat(log(test)).contains("another one than before, under live queues");
      test.guest.rebind("00:04.0"); // without live queues it is replaced
      assertThat(region(test, 0).memory().byteSize()).isEqualTo(REGION / 2);
      assertThat(test.guest.blockDevices()).hasSize(1);
    }
  }
}
