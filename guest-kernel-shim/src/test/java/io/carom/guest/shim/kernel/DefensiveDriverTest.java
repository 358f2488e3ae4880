package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.pci.ConfigSpaceDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioPciCapDescriptor;
import io.carom.virtio.VirtioStatus;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a driver makes of registers, capabilities and interrupts that are not as they should be. */
class DefensiveDriverTest {
  private static final int COMMON = VirtioPciCapDescriptor.TYPE_COMMON;
  private static final int NOTIFY = VirtioPciCapDescriptor.TYPE_NOTIFY;
  private static final int ISR = VirtioPciCapDescriptor.TYPE_ISR;
  private static final int OFFSET = VirtioPciCapDescriptor.OFFSET;
  private static final int LENGTH = VirtioPciCapDescriptor.LENGTH;

  private static TestGuest boot(final TestGuest test, final FakeBlk device) {
    device.at("00:04.0");
    test.bus.add("00:04.0", device);
    test.boot();
    return test;
  }

  private static String log(final TestGuest test) {
    return String.join("\n", test.guest.dmesg());
  }

  private static void works(final TestGuest test) {
    for (int i = 0; i < 20; i++) {
      test.vda().submit(test.request(BlockOp.READ, 8L * i, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
  }

  /** Where the capability of a structure is in config space. */
  private static int capability(final FakeBlk device, final int type) {
    int at = device.config[ConfigSpaceDescriptor.CAPABILITY_POINTER] & 0xff;
    while (at != 0) {
      if (device.config[at] == VirtioPciCapDescriptor.CAPABILITY_ID
          && device.config[at + VirtioPciCapDescriptor.CFG_TYPE] == type) {
        return at;
      }
      at = device.config[at + 1] & 0xff;
    }
    throw new AssertionError("no capability of type " + type);
  }

  /** Puts a copy of a capability behind all others, and returns where the first one is. */
  private static int twice(final FakeBlk device, final int type) {
    final int at = capability(device, type);
    final byte[] copy = new byte[device.config[at + VirtioPciCapDescriptor.CAP_LEN] & 0xff];
    System.arraycopy(device.config, at, copy, 0, copy.length);
    device.capability(copy);
    return at;
  }

  @ParameterizedTest
  @CsvSource({
    "1, 3, 1, 6", // a type that is reserved
    "1, 4, 1, 6", // BAR 6
    "2, 4, 1, 255",
    "3, 4, 1, 5", // a BAR that is not there
    "1, 8, 4, 0x3fff0000", // out of the BAR
    "2, 8, 4, -4", // offset and length overflow 32 bits
    "3, 12, 4, -1",
    "1, 8, 4, 2", // not on a boundary of 4
    "2, 8, 4, 0x3001", // not on a boundary of 2
    "1, 12, 4, 0x37", // shorter than the structure
    "2, 12, 4, 1",
    "3, 12, 4, 0",
    "1, 2, 1, 15", // shorter than a capability
    "2, 2, 1, 16", // without its multiplier
    "3, 2, 1, 255" // out of config space
  })
  @DisplayName("C5 C6 C7 H26 G: an unusable capability is ignored, and the next of its type taken")
  void unusableCapability(final int type, final int field, final int width, final String value) {
    final int bad = Integer.decode(value);
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.put(twice(device, type) + field, width, bad);
      boot(test, device);
      works(test);
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.put(capability(device, type) + field, width, bad); // and there is no other
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(log(test)).contains("no usable virtio");
    }
  }

  @Test
  @DisplayName("C5 V1 G: longer capabilities and structures are fine, unknown ones ignored")
  void longerAndUnknown() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.put(capability(device, COMMON) + LENGTH, 4, 0x800);
      device.put(capability(device, ISR) + LENGTH, 4, 0x1000);
      final byte[] unknown = new byte[40];
      unknown[0] = VirtioPciCapDescriptor.CAPABILITY_ID;
      unknown[VirtioPciCapDescriptor.CAP_LEN] = 40;
      unknown[VirtioPciCapDescriptor.CFG_TYPE] = 0x7f;
      device.capability(unknown);
      boot(test, device);
      works(test);
    }
  }

  @Test
  @DisplayName("C7 G: pointers with low bits, into the header, in a circle, and off the end")
  void capabilityPointers() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      int at = ConfigSpaceDescriptor.CAPABILITY_POINTER;
      while (device.config[at] != 0) {
        device.config[at] |= 3; // reserved bits
        at = (device.config[at] & 0xfc) + 1;
      }
      device.config[at] = device.config[ConfigSpaceDescriptor.CAPABILITY_POINTER]; // a circle
      boot(test, device);
      works(test);
    }
    for (final int pointer : new int[] {0x04, 0x3c, 0xfc}) {
      try (TestGuest test = new TestGuest()) {
        final FakeBlk device = test.blk("disk0", 1, 16, 0);
        device.config[ConfigSpaceDescriptor.CAPABILITY_POINTER] = (byte) pointer;
        boot(test, device);
        assertThat(log(test)).contains("no usable virtio common capability");
      }
    }
  }

  @Test
  @DisplayName("C7 G: random config space never harms the guest")
  void randomConfigSpace() {
    final long seed = Long.getLong("carom.seed", 23);
    final Random random = new Random(seed);
    for (int round = 0; round < 40; round++) {
      try (TestGuest test = new TestGuest()) {
        final FakeBlk device = test.blk("disk0", 1, 16, 1 << 20);
        for (int i = 0; i < 1 + random.nextInt(20); i++) {
          final int at = ConfigSpaceDescriptor.CAPABILITIES + random.nextInt(160);
          device.config[at] = (byte) random.nextInt();
        }
        device.mute = true; // not driven for long in any case
        device.offered &= ~VirtioFeatures.VERSION_1; // the walk is what is tested here
        boot(test, device);
        assertThat(test.guest.blockDevices()).as("seed %d", seed).isEmpty();
        assertThat(test.memory.pageMap().freePages())
            .as("seed %d", seed)
            .isEqualTo(test.memory.pageMap().totalPages());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0x1001, 0x1042})
  @DisplayName("P4 G: transitional and modern ids match, whatever the revision")
  void ids(final int id) {
    for (final int revision : new int[] {0, 1, 0x7f}) {
      try (TestGuest test = new TestGuest()) {
        final FakeBlk device = test.blk("disk0", 1, 16, 0);
        device.put(ConfigSpaceDescriptor.DEVICE_ID, 2, id);
        device.put(ConfigSpaceDescriptor.REVISION, 1, revision);
        boot(test, device);
        works(test);
      }
    }
  }

  @Test
  @DisplayName("P4 G: bit 27 of a transitional device is ANY_LAYOUT, which is not accepted")
  void transitionalBit() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.put(ConfigSpaceDescriptor.DEVICE_ID, 2, 0x1001);
      device.offered |= VirtioFeatures.SWIOTLB; // without a region that would be FAILED
      boot(test, device);
      works(test);
      assertThat(device.accepted & VirtioFeatures.SWIOTLB).isZero();
    }
  }

  @Test
  @DisplayName("P6 G: a legacy device without structures is refused")
  void legacy() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.put(ConfigSpaceDescriptor.DEVICE_ID, 2, 0x1001);
      device.put(ConfigSpaceDescriptor.STATUS, 2, 0); // no capabilities at all
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(log(test)).contains("no usable virtio common capability");
      assertThat(device.command() & ConfigSpaceDescriptor.COMMAND_BUS_MASTER).isZero();
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0x10, 64", "38, 0x10, 4", "38, 0x3002, 256"})
  @DisplayName("N3 H26 G: a doorbell outside its structure, or not aligned, is refused")
  void doorbell(final int bit, final String offset, final int length) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 8, 16, 0); // the last doorbell is at 7 * 4
      if (bit != 0) {
        device.offered |= 1L << bit;
      }
      final int at = capability(device, NOTIFY);
      device.put(at + OFFSET, 4, Integer.decode(offset) + (bit == 0 ? 0x3000 : 0));
      device.put(at + LENGTH, 4, bit == 0 ? 7 * 4 + 1 : length);
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(log(test)).contains("doorbell at offset");
      assertThat(device.status() & VirtioStatus.FAILED).isNotZero();
    }
  }

  @Test
  @DisplayName("V1 G: a 64-bit field is read again while the generation changes, but not for ever")
  void generation() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      final AtomicInteger reads = new AtomicInteger();
      device.onGeneration =
          () -> {
            if (reads.incrementAndGet() < 8) {
              device.changeConfig();
            }
          };
      boot(test, device);
      assertThat(test.vda().capacityBytes()).isEqualTo(4 << 20);
      assertThat(reads.get()).isGreaterThanOrEqualTo(8);
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.onGeneration = device::changeConfig;
      boot(test, device);
      works(test);
    }
  }

  @Test
  @DisplayName("S5 M2 G: a status of all ones, at any time, is a function that has gone")
  void statusOfAllOnes() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.forcedStatus = 0xff;
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(log(test)).contains("reset did not end: GONE");
    }
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      boot(test, device);
      works(test);
      device.forcedStatus = 0xff;
      device.changeConfig(); // looks at the status, and leaves the rest to hotplug
      device.forcedStatus = -1;
      works(test);
    }
  }

  @Test
  @DisplayName("M2 G: a reset that never ends is waited for, but not for ever")
  void resetThatNeverEnds() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      device.forcedStatus = VirtioStatus.DRIVER_OK;
      boot(test, device);
      assertThat(test.guest.blockDevices()).isEmpty();
      assertThat(log(test)).contains("reset did not end: TIMEOUT");
      assertThat(device.command() & ConfigSpaceDescriptor.COMMAND_BUS_MASTER).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  @DisplayName("H16 G: queues of no use")
  void queueSizes(final int size) {
    for (final long layout : new long[] {0, VirtioFeatures.RING_PACKED}) {
      try (TestGuest test = new TestGuest()) {
        final FakeBlk device = test.blk("disk0", 1, size, 0);
        device.offered |= layout;
        boot(test, device);
        assertThat(test.guest.blockDevices()).isEmpty();
        assertThat(log(test)).contains("queue 0 of " + size + " entries is too small");
      }
    }
  }

  @Test
  @DisplayName("S3 G: a storm of DEVICE_NEEDS_RESET ends with the device given up")
  void needsResetStorm() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 1, 16, 0);
      boot(test, device);
      works(test);
      final long start = System.nanoTime();
      while ((device.status() & VirtioStatus.FAILED) == 0) {
        device.needsReset();
        assertThat(System.nanoTime() - start).isLessThan(60_000_000_000L);
      }
      assertThat(test.guest.blockDevices().stream().noneMatch(disk -> disk.live())).isTrue();
      assertThat(device.resets.get()).isLessThan(20);
    }
  }

  @Test
  @DisplayName(
      "F1 G: without ACCESS_PLATFORM the DMA core is told so; an unknown bit is no failure")
  void accessPlatform() {
    for (final boolean offered : new boolean[] {false, true}) {
      try (TestGuest test = new TestGuest()) {
        final FakeBlk device = test.blk("disk0", 1, 16, 0);
        if (!offered) {
          device.offered &= ~VirtioFeatures.ACCESS_PLATFORM;
        }
        device.offered |= 1L << 60;
        boot(test, device);
        works(test);
        assertThat(test.dmaDevice().negotiations.getFirst().accessPlatform()).isEqualTo(offered);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 1, 2})
  @DisplayName("I6 G: vectors are read back; fewer are shared, and without any there is INTx")
  void refusedVectors(final int most) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 4, 16, 0);
      device.mostVectors = most;
      boot(test, device);
      works(test);
      assertThat(device.msixOn()).isEqualTo(most >= 0);
      if (most < 0) {
        assertThat(log(test)).contains("trying INTx");
      }
      device.needsReset(); // the configuration's interrupt, whichever that is
      test.awaitReset();
      works(test);
      assertThat(device.msixOn()).isEqualTo(most >= 0);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("I1 I6 G: INTx where there is no MSI-X, or it is not wanted; causes from the ISR")
  void line(final boolean wanted) {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 2, 16, 0);
      if (wanted) {
        device.withoutMsix();
      } else {
        test.virtio = test.virtio.withoutMsix();
      }
      boot(test, device);
      works(test);
      assertThat(device.msixOn()).isFalse();
      device.spurious(0); // without cause
      works(test);
      device.needsReset();
      test.awaitReset();
      works(test);
      test.await("the ISR to be read", () -> device.isr() == 0);
    }
  }

  @Test
  @DisplayName("I6 R8 G: spurious messages for queues and configuration")
  void spuriousMessages() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 2, 16, 0);
      boot(test, device);
      for (int i = 0; i < 100; i++) {
        device.spurious(i % 2);
        device.changeConfig();
        test.msi.message(0xfee0_0000L, i);
      }
      works(test);
      assertThat(test.vda().counters().resets()).isZero();
    }
  }
}
