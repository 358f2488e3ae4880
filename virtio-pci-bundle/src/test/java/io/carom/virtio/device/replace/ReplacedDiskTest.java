package io.carom.virtio.device.replace;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioState.QueueState;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A disk whose code is replaced, at any step of it, under a driver that sees nothing but time. */
@Timeout(600)
class ReplacedDiskTest {
  private static final int SECTOR = BlkDescriptor.SECTOR;
  private static final int QUEUE_SIZE = 16;
  private static final long RING = 0x10000;
  private static final long HEADERS = 0x20000;
  private static final long STATUSES = 0x21000;
  private static final long DATA = 0x40000;
  private static final int LIVE = 0x0f;

  private FakeBus bus = new FakeBus(0);
  private MemoryBackend backend = new MemoryBackend(Disks.SECTORS * (long) SECTOR);
  private Slot slot = slot();
  private final byte[][] contents = new byte[Disks.SECTORS][SECTOR];
  private DriverRing ring = Rings.SPLIT.make(bus, QUEUE_SIZE, RING);
  private final List<Integer> offered = new ArrayList<>();
  private int reaped;
  private long features;

  private Slot slot() {
    return new Slot(
        bus,
        records ->
            new VirtioFunctionBuilder("disk0", Disks.over(backend, false, 1))
                .workers(WorkerOptions.manual())
                .errors(Disks.quiet())
                .records(records)
                .build());
  }

  private Driver start(final Rings rings, final long more) {
    prepare(rings, more);
    slot.driver().start(features, ring);
    return slot.driver();
  }

  private void prepare(final Rings rings, final long more) {
    bus = new FakeBus(0);
    bus.msix = true;
    backend = new MemoryBackend(Disks.SECTORS * (long) SECTOR);
    slot = slot();
    features = rings.features | more;
    ring = rings.make(bus, QUEUE_SIZE, RING);
    offered.clear();
    reaped = 0;
    for (final byte[] sector : contents) {
      Arrays.fill(sector, (byte) 0);
    }
  }

  private Driver driver() {
    return slot.driver();
  }

  /** Puts a request into a slot of the driver's, 0 to 4, on a sector of the same number. */
  private void offer(final int place, final boolean read, final int fill) {
    final long data = DATA + (long) SECTOR * place;
    final byte[] bytes = new byte[SECTOR];
    if (!read) {
      Arrays.fill(bytes, (byte) fill);
      contents[place] = bytes;
    }
    driver().bytes(data, bytes);
    driver().bytes(STATUSES + place, new byte[] {-1});
    driver().header(HEADERS + 16L * place, read ? BlkDescriptor.T_IN : BlkDescriptor.T_OUT, place);
    ring.desc(3 * place, HEADERS + 16L * place, 16, NEXT, 3 * place + 1);
    ring.desc(3 * place + 1, data, SECTOR, (read ? WRITE : 0) | NEXT, 3 * place + 2);
    ring.desc(3 * place + 2, STATUSES + place, 1, WRITE, 0);
    ring.offer(3 * place);
    offered.add(place);
  }

  /** Every request offered so far was answered, once, in order, with the right bytes. */
  private void allAnswered() {
    assertThat(driver().status())
        .as(String.valueOf(driver().function.info().lastError()))
        .isEqualTo(LIVE);
    assertThat(ring.usedIndex() & 0xffff).isEqualTo(offered.size() & 0xffff);
    final boolean inOrder = (features & VirtioFeatures.IN_ORDER) != 0;
    for (; reaped < offered.size(); reaped++) {
      final int place = offered.get(reaped);
      if (!inOrder) {
        assertThat(ring.usedId(reaped)).isEqualTo(3 * place);
      }
      assertThat(driver().byteAt(STATUSES + place)).isEqualTo(BlkDescriptor.S_OK);
      assertThat(driver().bytes(DATA + (long) SECTOR * place, SECTOR)).isEqualTo(contents[place]);
    }
  }

  private void contentsOnDisk() {
    for (int i = 0; i < contents.length; i++) {
      final byte[] sector = new byte[SECTOR];
      backend.read((long) SECTOR * i, java.lang.foreign.MemorySegment.ofArray(sector), 0, SECTOR);
      assertThat(sector).isEqualTo(contents[i]);
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("cut at every step of a batch, its requests are answered once, by the next code")
  void cutAtEveryStep(final Rings rings) {
    for (final long more : new long[] {0, VirtioFeatures.EVENT_IDX}) {
      boolean cut = true;
      int steps = 0;
      for (; cut; steps++) {
        start(rings, more);
        for (int place = 0; place < 2; place++) { // so that places are not at the ring's start
          offer(place, false, 10 + place);
        }
        driver().run();
        allAnswered();
        for (int place = 0; place < 4; place++) {
          offer(place, place % 2 == 0, 100 + place);
        }
        driver().function.leaving(false);
        slot.cutAfter(steps);
        driver().run();
        cut = slot.wasCut();
        slot.detach();
        bus.messages.clear();
        slot.attach();
        assertThat(bus.messages).as("told once more, of everything").contains(0, 1);
        driver().function.processNow(); // without a doorbell: it looks by itself
        allAnswered();
        contentsOnDisk();
        offer(4, false, 5);
        driver().run();
        allAnswered();
      }
      assertThat(steps).isGreaterThan(20);
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a port that is revoked at any step of a batch breaks no queue")
  void revokedAtEveryStep(final Rings rings) {
    boolean revoked = true;
    int steps = 0;
    for (; revoked; steps++) {
      start(rings, 0);
      for (int place = 0; place < 4; place++) {
        offer(place, place % 2 == 0, 100 + place);
      }
      driver().function.leaving(false);
      slot.revokeAfter(steps);
      driver().run();
      revoked = bus.revoked;
      assertThat(driver().function.info().lastError()).isNull();
      slot.replace();
      driver().function.processNow();
      allAnswered();
      contentsOnDisk();
    }
    assertThat(steps).isGreaterThan(10);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a port that is revoked as the driver enables a queue costs it no queue")
  void revokedAsQueuesAreEnabled(final Rings rings) {
    boolean revoked = true;
    int steps = 0;
    for (; revoked; steps++) {
      prepare(rings, 0);
      slot.revokeAfter(steps);
      driver().start(features, ring);
      revoked = bus.revoked;
      assertThat(driver().function.info().lastError()).isNull();
      slot.replace();
      assertThat(driver().get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isEqualTo(1);
      offer(0, false, 7);
      driver().run();
      allAnswered();
      contentsOnDisk();
    }
    assertThat(steps).isGreaterThan(3);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("registers, vectors and features read as before")
  void registersAreKept(final Rings rings) {
    start(rings, VirtioFeatures.BLK_CONFIG_WCE | VirtioFeatures.BLK_FLUSH);
    driver().set(0x2000 + BlkDescriptor.CONFIG_WRITEBACK, 1, 0);
    driver().set(CommonCfgDescriptor.DRIVER_FEATURE_SELECT, 4, 1);
    final long[] before = registers();
    slot.replace();
    assertThat(registers()).isEqualTo(before);
    slot.replace(); // and with nothing done in between
    assertThat(registers()).isEqualTo(before);
    assertThat(driver().get(0x2000 + BlkDescriptor.CONFIG_WRITEBACK, 1)).isZero();
  }

  private long[] registers() {
    final long[] values = new long[CommonCfgDescriptor.FULL_SIZE + 0x40];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          i < CommonCfgDescriptor.FULL_SIZE
              ? driver().get(i, 1)
              : driver().get(0x2000 + i - CommonCfgDescriptor.FULL_SIZE, 1);
    }
    return values;
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("a random schedule of requests, cuts and replacements loses and repeats nothing")
  void randomSchedule(final Rings rings) {
    final Random random = Seed.random("replaced disk");
    start(rings, random.nextBoolean() ? VirtioFeatures.EVENT_IDX : 0);
    for (int round = 0; round < 400; round++) {
      final int requests = random.nextInt(6);
      for (int place = 0; place < requests; place++) {
        offer(place, random.nextBoolean(), random.nextInt(256));
        if (random.nextInt(4) == 0) {
          driver().kick(0);
        }
      }
      if (random.nextInt(3) == 0) {
        driver().function.leaving(false);
        slot.cutAfter(random.nextInt(60));
        driver().run();
        slot.replace();
        if (random.nextInt(4) == 0) {
          slot.replace();
        }
        driver().function.processNow();
      }
      driver().run();
      allAnswered();
    }
    contentsOnDisk();
  }

  @Test
  @DisplayName("what is negotiated goes on at any step of it")
  void negotiationGoesOn() {
    slot.driver().status(VirtioStatus.ACKNOWLEDGE);
    slot.replace();
    assertThat(driver().status()).isEqualTo(VirtioStatus.ACKNOWLEDGE);
    driver().status(Driver.ACK_DRIVER);
    driver().accept(VirtioFeatures.VERSION_1 | VirtioFeatures.EVENT_IDX);
    slot.replace();
    driver().status(Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK);
    assertThat(driver().status()).isEqualTo(Driver.ACK_DRIVER | VirtioStatus.FEATURES_OK);
    slot.replace();
    driver().set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    driver().enable(0, ring);
    slot.replace();
    assertThat(driver().get(CommonCfgDescriptor.QUEUE_ENABLE, 2)).isEqualTo(1);
    driver().ready();
    offer(0, false, 7);
    slot.replace();
    driver().function.processNow();
    allAnswered();
  }

  @Test
  @DisplayName("the driver's reset clears what is kept, and the next code begins anew")
  void resetForgets() {
    start(Rings.SPLIT, 0);
    offer(0, false, 1);
    driver().run();
    driver().status(0);
    assertThat(driver().status()).isZero();
    slot.found =
        kept -> {
          assertThat(kept).isNull();
          return kept;
        };
    slot.replace();
    assertThat(driver().status()).isZero();
  }

  @Test
  @DisplayName("a request that does not end is not run again: the device asks for a reset")
  void overran() {
    start(Rings.SPLIT, 0);
    offer(0, false, 1);
    driver().function.leaving(false);
    slot.cutAfter(8);
    driver().run();
    slot.detach();
    bus.overran = true;
    bus.messages.clear();
    slot.attach();
    assertThat(driver().needsReset()).isTrue();
    assertThat(bus.messages).contains(0);
    assertThat(driver().function.info().lastError()).contains("none is run again");
    driver().bytes(STATUSES, new byte[] {-1});
    driver().run();
    assertThat(ring.usedIndex()).isZero();
    assertThat(driver().byteAt(STATUSES)).isEqualTo(0xff);
    bus.overran = false;
    slot.replace();
    assertThat(driver().needsReset()).as("still").isTrue();
    goesOnAfterReset();
  }

  private void goesOnAfterReset() {
    ring = Rings.SPLIT.make(bus, QUEUE_SIZE, RING + 0x40000);
    offered.clear();
    reaped = 0;
    driver().start(0, ring);
    offer(1, false, 9);
    driver().run();
    allAnswered();
  }

  private static VirtioState with(
      final VirtioState state, final int version, final QueueState... queues) {
    return new VirtioState(
        version,
        state.type(),
        state.offered(),
        state.accepted(),
        state.status(),
        state.configVector(),
        state.isr(),
        state.selects(),
        state.config(),
        queues.length == 0 ? state.queues() : List.of(queues),
        state.backend());
  }

  private void refused(final String why) {
    assertThat(driver().status()).isEqualTo(LIVE | VirtioStatus.NEEDS_RESET);
    assertThat(bus.messages).contains(0);
    assertThat(driver().function.info().lastError()).contains(why).doesNotContain("\n");
    assertThat(driver().get(CommonCfgDescriptor.QUEUE_DESC, 4)).isEqualTo(RING);
    driver().run();
    slot.found = kept -> kept;
    slot.replace();
    assertThat(driver().needsReset()).as("until its reset, whatever code comes").isTrue();
    goesOnAfterReset();
  }

  @Test
  @DisplayName("what a newer version kept is refused in one line: the device asks for a reset")
  void newerVersion() {
    start(Rings.SPLIT, 0);
    slot.found = kept -> kept == null ? null : with(kept, VirtioState.VERSION + 1);
    bus.messages.clear();
    slot.replace();
    refused("its version 3 is not in 1..2");
  }

  @Test
  @DisplayName("what an older version kept, without heads in flight, is gone on from")
  void olderVersion() {
    start(Rings.SPLIT, 0);
    offer(0, false, 3);
    driver().run();
    slot.found =
        kept -> {
          if (kept == null) {
            return null;
          }
          final QueueState old = kept.queues().getFirst();
          return with(
              kept,
              1,
              new QueueState(
                  old.size(),
                  old.enabled(),
                  old.vector(),
                  old.desc(),
                  old.driver(),
                  old.device(),
                  old.nextAvail(),
                  old.nextUsed()));
        };
    slot.replace();
    offer(1, true, 0);
    driver().run();
    allAnswered();
  }

  @Test
  @DisplayName("a chain that is not the one that was in flight breaks the device")
  void otherHead() {
    start(Rings.SPLIT, 0);
    offer(0, false, 1);
    driver().function.leaving(false);
    slot.cutAfter(8);
    driver().run();
    slot.found = kept -> kept == null ? null : with(kept, 2, inFlight(kept, 9));
    slot.replace();
    driver().function.processNow();
    assertThat(driver().needsReset()).isTrue();
    assertThat(driver().function.info().lastError())
        .contains("chain 9 was being served")
        .contains("chain 0 now");
    assertThat(ring.usedIndex()).isZero();
  }

  private static QueueState inFlight(final VirtioState state, final @Nullable Integer... heads) {
    final QueueState old = state.queues().getFirst();
    assertThat(old.inFlight()).containsExactly(0);
    return new QueueState(
        old.size(),
        old.enabled(),
        old.vector(),
        old.desc(),
        old.driver(),
        old.device(),
        old.nextAvail(),
        old.nextUsed(),
        Arrays.asList(heads));
  }

  @Test
  @DisplayName("an error of code that cannot be restarted breaks the device, whichever code comes")
  void errorOfTheCode() {
    start(Rings.SPLIT, 0);
    offer(0, false, 1);
    slot.cutAfter(8); // and all that it tries after that, too
    driver().kick(0);
    try {
      driver().function.processNow();
    } catch (final Slot.Cut e) {
      assertThat(slot.wasCut()).isTrue(); // of the test's own session
    }
    assertThat(driver().needsReset()).isTrue();
    assertThat(driver().function.info().lastError()).contains("cannot go on");
    slot.replace();
    assertThat(driver().needsReset()).as("its driver was told").isTrue();
    goesOnAfterReset();
  }

  @Test
  @DisplayName("a device that goes for good says so, and leaves nothing")
  void leavesForGood() {
    start(Rings.SPLIT, 0);
    driver().function.leaving(true);
    assertThat(bus.leavings).hasValue(1);
    slot.store.forget("disk0"); // as the bus does
    bus.revoked = true;
    driver().function.unplugged();
    slot.attach();
    assertThat(driver().status()).isZero();
  }

  @Test
  @DisplayName("N3 a device that the host brought to rest stays at rest, and can be restored")
  void atRestStaysSo() {
    start(Rings.SPLIT, 0);
    final VirtioState saved = driver().function.save();
    slot.replace();
    assertThat(driver().function.atRest()).isTrue();
    offer(0, false, 1);
    driver().run();
    assertThat(ring.usedIndex()).isZero();
    driver().function.restore(saved);
    driver().function.processNow();
    allAnswered();
  }

  @Test
  @DisplayName("code that was replaced publishes nothing any more")
  void voidRecord() {
    start(Rings.SPLIT, 0);
    offer(0, false, 1);
    assertThat(slot.store.claim("disk0").kept()).isNotNull();
    driver().run();
    assertThat(ring.usedIndex()).isZero();
  }
}
