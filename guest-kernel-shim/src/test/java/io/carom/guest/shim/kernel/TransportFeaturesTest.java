package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeBlk.Conduct;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each transport feature with real requests, alone and with others, and what denies it. */
class TransportFeaturesTest {
  private static final long PACKED = VirtioFeatures.RING_PACKED;
  private static final long RING_RESET = VirtioFeatures.RING_RESET;
  private static final long SUSPEND = VirtioFeatures.SUSPEND;
  private static final long DATA = VirtioFeatures.NOTIFICATION_DATA;
  private static final long CONFIG_DATA = VirtioFeatures.NOTIF_CONFIG_DATA;

  private static TestGuest boot(final long offered, final int queues, final int size) {
    final TestGuest test = new TestGuest();
    final FakeBlk device = test.blk("disk0", queues, size, 0);
    device.offered |= offered;
    test.bus.add("00:04.0", device);
    test.boot();
    return test;
  }

  /** Writes random blocks, reads them back and compares every byte. */
  private static void check(final TestGuest test, final int blocks, final Random random) {
    final List<byte[]> written = new ArrayList<>();
    for (int i = 0; i < blocks; i++) {
      final BlockRequest write = test.request(BlockOp.WRITE, 8L * i, 4096);
      final byte[] bytes = new byte[4096];
      random.nextBytes(bytes);
      test.memory.segment(write.buffer, 4096).asByteBuffer().put(bytes);
      written.add(bytes);
      test.vda().submit(write);
    }
    for (int i = 0; i < blocks; i++) {
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
    }
    for (int i = 0; i < blocks; i++) {
      final BlockRequest read = test.request(BlockOp.READ, 8L * i, 4096);
      test.vda().submit(read);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      final byte[] bytes = new byte[4096];
      test.memory.segment(read.buffer, 4096).asByteBuffer().get(bytes);
      assertThat(bytes).isEqualTo(written.get(i));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
  @DisplayName("K1 K6 R5 R9 N3 F2 G: requests over every combination of ring features")
  void combinations(final int bits) {
    final long seed = Long.getLong("carom.seed", 11);
    final TestGuest test = new TestGuest();
    try (test) {
      final FakeBlk device = test.blk("disk0", 2, (bits & 1) != 0 ? 100 : 64, 0);
      device.offered |=
          VirtioFeatures.ORDER_PLATFORM
              | ((bits & 1) != 0 ? PACKED : 0)
              | ((bits & 2) != 0 ? VirtioFeatures.IN_ORDER : 0)
              | ((bits & 8) != 0 ? DATA | CONFIG_DATA : 0);
      device.batches = (bits & 2) != 0;
      if ((bits & 4) != 0) {
        test.virtio = VirtioSettings.DEFAULTS.withDenied("INDIRECT_DESC", "29");
      }
      test.bus.add("00:04.0", device);
      test.boot();
      assertThat(test.vda().queueSize()).isEqualTo((bits & 1) != 0 ? 100 : 64);
      check(test, 40, new Random(seed));
      final long denied = VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
      assertThat(device.accepted).isEqualTo(device.offered & ~((bits & 4) != 0 ? denied : 0));
      assertThat(device.doorbells.isEmpty()).isEqualTo((bits & 8) == 0);
      assertThat(test.dmaDevice().liveMappings()).isZero();
      // the queues' own ring, in the same layout, after a reset
      device.needsReset();
      test.awaitReset();
      check(test, 10, new Random(seed + 1));
    }
  }

  @Test
  @DisplayName("S5 G: what is denied is not accepted, by name or by number")
  void denied() {
    try (TestGuest test = new TestGuest()) {
      final FakeBlk device = test.blk("disk0", 2, 64, 0);
      device.offered |= PACKED | RING_RESET | SUSPEND | DATA;
      test.virtio = VirtioSettings.DEFAULTS.withDenied("ring_packed", "MQ", "40", "FLUSH");
      test.bus.add("00:04.0", device);
      test.boot();
      assertThat(device.accepted)
          .isEqualTo(
              device.offered
                  & ~(PACKED | RING_RESET | VirtioFeatures.BLK_MQ | VirtioFeatures.BLK_FLUSH));
      assertThat(test.vda().queues()).isEqualTo(1);
    }
    assertThatThrownBy(() -> VirtioSettings.DEFAULTS.withDenied("RING_PACKT"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("RING_PACKT is no feature")
        .hasMessageContaining("0..63");
    assertThatThrownBy(() -> VirtioSettings.DEFAULTS.withDenied("64"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @EnumSource(
      value = Conduct.class,
      names = {"ID_OUT_OF_RANGE", "LENGTH_TOO_LONG", "INDEX_JUMP"})
  @DisplayName("S8 G: a queue that breaks is reset alone, and requests of others go on")
  void queueResetAlone(final Conduct conduct) {
    for (final long layout : new long[] {0, PACKED}) {
      try (TestGuest test = boot(RING_RESET | layout, 2, 16)) {
        final FakeBlk device = test.device();
        final int resets = device.resets.get();
        onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
        onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        device.misbehavingQueue = 1;
        device.conduct = conduct;
        onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
        onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        device.conduct = Conduct.HONEST;
        onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
        test.await("the queue's reset", () -> test.vda().counters().resets() == 1);
        assertThat(device.queueResets).containsExactly(1);
        assertThat(device.resets.get()).isEqualTo(resets);
        assertThat(test.dmaDevice().liveMappings()).isZero();
      }
    }
  }

  @Test
  @DisplayName("S8 G: after a queue's deadline its requests end, those of others do not")
  void deadlineOfOneQueue() {
    try (TestGuest test = boot(RING_RESET, 2, 16)) {
      final FakeBlk device = test.device();
      onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      device.misbehavingQueue = 1;
      device.conduct = Conduct.SILENT;
      onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
      test.await("the device to take it", () -> device.servedOf.get(1) == 2);
      test.ahead.addAndGet(25_000_000_000L);
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.TIMEOUT);
      device.conduct = Conduct.HONEST;
      onQueue(test, 1, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      assertThat(device.queueResets).containsExactly(1);
      assertThat(test.vda().counters().resets()).isEqualTo(1);
    }
  }

  @Test
  @DisplayName("S8 G: a queue reset that never ends, or that does not help, resets the device")
  void queueResetThatDoesNotHelp() {
    try (TestGuest test = boot(RING_RESET, 1, 16)) {
      final FakeBlk device = test.device();
      onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      final int resets = device.resets.get();
      device.queueResetHangs = true;
      device.conduct = Conduct.ID_OUT_OF_RANGE;
      onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      test.await("the device's reset", () -> device.resets.get() == resets + 2);
      device.queueResetHangs = false;
      // broken again before it has completed anything: the queue alone, then the device, then none
      onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      test.await("the queue's reset", () -> device.queueResets.size() == 2);
      onQueue(test, 0, test.request(BlockOp.READ, 0, 4096));
      assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.IO_ERROR);
      test.await("the end", () -> (device.status() & VirtioStatus.FAILED) != 0);
      assertThat(String.join("\n", test.guest.dmesg())).contains("given up");
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  @DisplayName("S9 G: a suspended device is not touched, and goes on where it was")
  void suspend(final boolean packed) {
    try (TestGuest test = boot(SUSPEND | (packed ? PACKED : 0), 2, 16)) {
      final FakeBlk device = test.device();
      check(test, 4, new Random(3));
      test.guest.suspend("00:04.0");
      assertThat(device.status() & (VirtioStatus.SUSPEND | VirtioStatus.DRIVER_OK))
          .isEqualTo(VirtioStatus.SUSPEND);
      final long stores = test.bus.registerWrites.get();
      final int served = device.served.get();
      for (int i = 0; i < 6; i++) {
        test.vda().submit(test.request(BlockOp.READ, 0, 4096));
      }
      assertThatThrownBy(() -> test.guest.suspend("00:04.0"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("suspended already");
      test.ahead.addAndGet(30_000_000_000L); // longer than any deadline
      assertThat(device.served.get()).isEqualTo(served);
      assertThat(test.bus.registerWrites.get()).isEqualTo(stores);
      test.guest.resume("00:04.0");
      for (int i = 0; i < 6; i++) {
        assertThat(test.awaitEnd().status()).isEqualTo(BlockStatus.OK);
      }
      assertThat(device.resets.get()).isEqualTo(1);
      assertThatThrownBy(() -> test.guest.resume("00:04.0"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("not suspended");
      check(test, 4, new Random(4));
    }
  }

  @Test
  @DisplayName("S9 G: what cannot be suspended says so, and works on")
  void suspensionRefused() {
    try (TestGuest test = boot(0, 1, 16)) {
      assertThatThrownBy(() -> test.guest.suspend("00:04.0"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("SUSPEND was not negotiated");
      assertThatThrownBy(() -> test.guest.suspend("00:07.0"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no PCI function 00:07.0");
      check(test, 2, new Random(5));
    }
    try (TestGuest test = boot(SUSPEND, 1, 16)) {
      test.device().restless = true;
      assertThatThrownBy(() -> test.guest.suspend("00:04.0"))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("does not come to rest");
      check(test, 2, new Random(6));
    }
  }

  @Test
  @DisplayName("K1 S5 G: a device that gives up the layout of its queues is given up")
  void layoutThatGoesAway() {
    try (TestGuest test = boot(PACKED, 1, 16)) {
      check(test, 2, new Random(7));
      test.device().offered &= ~PACKED;
      test.device().needsReset();
      test.await("the end", () -> (test.device().status() & VirtioStatus.FAILED) != 0);
      assertThat(String.join("\n", test.guest.dmesg())).contains("RING_PACKED is not offered");
    }
    try (TestGuest test = boot(0, 1, 16)) {
      test.device().offered |= PACKED; // the rings are split: it stays so
      test.device().needsReset();
      test.awaitReset();
      check(test, 2, new Random(8));
      assertThat(test.device().accepted & PACKED).isZero();
    }
  }

  /** Submits to one queue: a disk chooses by the submitter's thread. */
  private static void onQueue(final TestGuest test, final int queue, final BlockRequest request) {
    final int queues = test.vda().queues();
    Thread submitter = new Thread(() -> test.vda().submit(request));
    while (submitter.threadId() % queues != queue) {
      submitter = new Thread(() -> test.vda().submit(request));
    }
    submitter.start();
    try {
      submitter.join();
    } catch (final InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
