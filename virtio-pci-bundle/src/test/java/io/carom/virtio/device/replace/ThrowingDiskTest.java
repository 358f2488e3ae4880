package io.carom.virtio.device.replace;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.CommonCfgDescriptor;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkBackend;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.EchoRig;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.kit.Slot;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A disk whose code throws at requests, under a driver that sees nothing but time. */
@Timeout(600)
class ThrowingDiskTest {
  private static final int SECTOR = BlkDescriptor.SECTOR;
  private static final int QUEUES = 3;
  private static final int QUEUE_SIZE = 16;
  private static final int PLACES = 5;
  private static final long RING = 0x10000;
  private static final long HEADERS = 0x80000;
  private static final long STATUSES = 0x81000;
  private static final long DATA = 0x90000;
  private static final int LIVE = 0x0f;
  private static final long WAIT_NANOS = 300_000_000_000L;

  /** Throws at the accesses that it is told to, in the midst of them. */
  private static final class Throwing implements BlkBackend {
    private final MemoryBackend to = new MemoryBackend(Disks.SECTORS * (long) SECTOR);
    private final AtomicInteger left = new AtomicInteger(Integer.MAX_VALUE);
    private volatile int times;
    private volatile long hangs = -1;
    private final CountDownLatch hanging = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);

    /** The access after so many more throws, and as many after it as wanted. */
    void throwAfter(final int accesses, final int howOften) {
      times = howOften;
      left.set(accesses);
    }

    private boolean throwsNow() {
      final int now = left.getAndDecrement();
      return now <= 0 && now > -times;
    }

    private void pass(final long position) {
      if (position == hangs) {
        hanging.countDown();
        try {
          released.await();
        } catch (final InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }
    }

    @Override
    public long size() {
      return to.size();
    }

    @Override
    public void read(
        final long position, final MemorySegment into, final long offset, final long length) {
      pass(position);
      if (throwsNow()) {
        into.asSlice(offset, length / 2).fill((byte) 0x5a); // half of it, and not the right bytes
        throw new IllegalStateException("thrown at a read");
      }
      to.read(position, into, offset, length);
    }

    @Override
    public void write(
        final long position, final MemorySegment from, final long offset, final long length) {
      pass(position);
      if (throwsNow()) {
        to.write(position, from, offset, length / 2);
        throw new StackOverflowError("thrown at a write");
      }
      to.write(position, from, offset, length);
    }

    @Override
    public void flush() {
      // nothing to do
    }

    @Override
    public String describe() {
      return "throwing";
    }

    @Override
    public void close() {
      released.countDown();
    }
  }

  private FakeBus bus = new FakeBus(0);
  private Throwing backend = new Throwing();
  private Slot slot = slot(WorkerOptions.manual(), new RestartBudget());
  private final DriverRing[] rings = new DriverRing[QUEUES];
  private final byte[][] contents = new byte[Disks.SECTORS][SECTOR];
  private final int[] offered = new int[QUEUES];

  @AfterEach
  void end() {
    backend.close();
    slot.driver().function.unplugged();
  }

  private Slot slot(final WorkerOptions options, final RestartBudget budget) {
    return new Slot(
        bus,
        records ->
            new VirtioFunctionBuilder("disk0", Disks.over(backend, false, QUEUES))
                .workers(options)
                .restarts(budget)
                .errors(Disks.quiet())
                .records(records)
                .build());
  }

  private void start(
      final Rings kind, final long more, final WorkerOptions options, final RestartBudget budget) {
    end();
    bus = new FakeBus(0);
    bus.msix = true;
    backend = new Throwing();
    slot = slot(options, budget);
    for (final byte[] sector : contents) {
      Arrays.fill(sector, (byte) 0);
    }
    Arrays.fill(offered, 0);
    for (int i = 0; i < QUEUES; i++) {
      rings[i] = kind.make(bus, QUEUE_SIZE, RING + 0x10000L * i);
    }
    assertThat(driver().negotiate(kind.features | VirtioFeatures.BLK_MQ | more)).isTrue();
    driver().set(CommonCfgDescriptor.CONFIG_MSIX_VECTOR, 2, 0);
    for (int i = 0; i < QUEUES; i++) {
      driver().enable(i, rings[i]);
    }
    driver().ready();
  }

  private Driver driver() {
    return slot.driver();
  }

  private static int sector(final int queue, final int place) {
    return queue * PLACES + place;
  }

  private static long data(final int queue, final int place) {
    return DATA + (long) SECTOR * sector(queue, place);
  }

  private static long status(final int queue, final int place) {
    return STATUSES + sector(queue, place);
  }

  /** Puts a request into a slot of a queue's, on a sector of its own. */
  private void offer(final int queue, final int place, final boolean read, final int fill) {
    final int sector = sector(queue, place);
    final byte[] bytes = new byte[SECTOR];
    Arrays.fill(bytes, (byte) fill);
    if (!read) {
      contents[sector] = bytes;
    }
    driver().bytes(data(queue, place), bytes);
    driver().bytes(status(queue, place), new byte[] {-1});
    driver()
        .header(HEADERS + 16L * sector, read ? BlkDescriptor.T_IN : BlkDescriptor.T_OUT, sector);
    final DriverRing ring = rings[queue];
    ring.desc(3 * place, HEADERS + 16L * sector, 16, NEXT, 3 * place + 1);
    ring.desc(3 * place + 1, data(queue, place), SECTOR, (read ? WRITE : 0) | NEXT, 3 * place + 2);
    ring.desc(3 * place + 2, status(queue, place), 1, WRITE, 0);
    ring.offer(3 * place);
    offered[queue]++;
  }

  /** Every request of the queues was answered, once, with the right bytes. */
  private void allAnswered(final int places) {
    assertThat(driver().status()).as(lastError()).isEqualTo(LIVE);
    for (int queue = 0; queue < QUEUES; queue++) {
      assertThat(rings[queue].usedIndex() & 0xffff).isEqualTo(offered[queue] & 0xffff);
      for (int place = 0; place < places; place++) {
        assertThat(driver().byteAt(status(queue, place))).isEqualTo(BlkDescriptor.S_OK);
        assertThat(driver().bytes(data(queue, place), SECTOR))
            .isEqualTo(contents[sector(queue, place)]);
      }
    }
    for (int i = 0; i < contents.length; i++) {
      final byte[] sector = new byte[SECTOR];
      backend.to.read((long) SECTOR * i, MemorySegment.ofArray(sector), 0, SECTOR);
      assertThat(sector).isEqualTo(contents[i]);
    }
    EchoRig.await("sections have ended", () -> bus.openSections.get() == 0);
  }

  private String lastError() {
    return String.valueOf(driver().function.info().lastError());
  }

  private void kickAll() {
    for (int i = 0; i < QUEUES; i++) {
      driver().kick(i);
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("thrown at any request of several queues, all are answered once, with their bytes")
  void throwsOnce(final Rings kind) {
    for (final long more : new long[] {0, VirtioFeatures.EVENT_IDX}) {
      for (int at = 0; at < QUEUES * 4; at++) {
        start(kind, more, WorkerOptions.manual(), new RestartBudget());
        for (int queue = 0; queue < QUEUES; queue++) {
          for (int place = 0; place < 4; place++) {
            offer(queue, place, place % 2 == 0, 100 + queue * 10 + place);
          }
        }
        backend.throwAfter(at, 1);
        bus.messages.clear();
        kickAll();
        driver().function.processNow();
        assertThat(driver().function.info().restarts()).isEqualTo(1);
        assertThat(lastError()).isEqualTo("null");
        assertThat(bus.messages).as("told once more, of everything").contains(0, 1, 2, 3);
        allAnswered(4);
        backend.throwAfter(Integer.MAX_VALUE, 0);
        for (int queue = 0; queue < QUEUES; queue++) {
          offer(queue, 4, false, 5 + queue);
        }
        kickAll();
        driver().function.processNow();
        allAnswered(5);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "what always throws ends in DEVICE_NEEDS_RESET after three restarts, told in one line")
  void throwsAlways(final Rings kind) {
    start(kind, 0, WorkerOptions.manual(), new RestartBudget());
    offer(1, 2, false, 7);
    backend.throwAfter(0, Integer.MAX_VALUE / 2);
    driver().kick(1);
    driver().function.processNow();
    assertThat(driver().needsReset()).isTrue();
    assertThat(driver().function.info().restarts()).isEqualTo(3);
    assertThat(lastError())
        .contains("queue 1: head 6: an internal error: ", "thrown at a write")
        .endsWith("after 3 restarts in 10000 ms")
        .doesNotContain("\n");
    assertThat(rings[1].usedIndex() & 0xffff).isZero();
  }

  @Test
  @DisplayName("no restart is configured: as without any")
  void none() {
    start(Rings.SPLIT, 0, WorkerOptions.manual(), new RestartBudget(0, 1));
    offer(0, 0, true, 7);
    backend.throwAfter(0, 1);
    driver().kick(0);
    driver().function.processNow();
    assertThat(driver().needsReset()).isTrue();
    assertThat(driver().function.info().restarts()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("with threads, throwing now and then at queues that are all busy loses nothing")
  void threads(final Rings kind) {
    final Random random = Seed.random("throwing disk");
    start(kind, 0, WorkerOptions.threaded(1000), new RestartBudget(1000, 1));
    int restarts = 0;
    for (int round = 0; round < 60; round++) {
      backend.throwAfter(random.nextInt(QUEUES * PLACES), 1); // who is awake may serve at once
      restarts++;
      for (int queue = 0; queue < QUEUES; queue++) {
        for (int place = 0; place < PLACES; place++) {
          offer(queue, place, random.nextBoolean(), random.nextInt(256));
        }
      }
      kickAll();
      for (int queue = 0; queue < QUEUES; queue++) {
        final int of = queue;
        EchoRig.await(
            "queue " + of + " has answered",
            () -> (rings[of].usedIndex() & 0xffff) == (offered[of] & 0xffff));
      }
      allAnswered(PLACES);
    }
    assertThat(driver().function.info().restarts()).isEqualTo(restarts);
  }

  @Test
  @DisplayName("another queue's request that hangs is waited for; it ends, and all are answered")
  void waitsForTheOthers() throws InterruptedException {
    start(Rings.SPLIT, 0, WorkerOptions.threaded(1000).stopWait(WAIT_NANOS), new RestartBudget());
    backend.hangs = (long) SECTOR * sector(1, 0);
    offer(1, 0, true, 1);
    driver().kick(1);
    backend.hanging.await();
    backend.throwAfter(0, 1);
    offer(0, 0, false, 2);
    driver().kick(0);
    EchoRig.await("it throws", () -> driver().function.info().restarts() == 1);
    offer(2, 0, false, 3);
    driver().kick(2);
    assertThat(rings[0].usedIndex()).as("not while one is inside").isZero();
    assertThat(driver().status()).isEqualTo(LIVE);
    backend.released.countDown();
    for (final DriverRing ring : rings) {
      EchoRig.await("answered", () -> ring.usedIndex() == 1);
    }
    allAnswered(1);
  }

  @Test
  @DisplayName("one that hangs for too long makes the device need a reset: none is run again")
  void hangsToo() throws InterruptedException {
    start(Rings.SPLIT, 0, WorkerOptions.threaded(1000).stopWait(20_000_000), new RestartBudget());
    backend.hangs = (long) SECTOR * sector(1, 0);
    offer(1, 0, true, 1);
    driver().kick(1);
    backend.hanging.await();
    backend.throwAfter(0, 1);
    offer(0, 0, true, 2);
    driver().kick(0);
    EchoRig.await("it gives up", driver()::needsReset);
    assertThat(lastError()).contains("longer than 20 ms: none is run again");
    assertThat(rings[0].usedIndex()).isZero();
  }

  @Test
  @DisplayName("the driver's reset ends a restart, and the device begins anew")
  void resetEndsIt() throws InterruptedException {
    start(Rings.SPLIT, 0, WorkerOptions.threaded(1000).stopWait(WAIT_NANOS), new RestartBudget());
    backend.hangs = (long) SECTOR * sector(1, 0);
    offer(1, 0, true, 1);
    driver().kick(1);
    backend.hanging.await();
    backend.throwAfter(0, 1);
    offer(0, 0, true, 2);
    driver().kick(0);
    EchoRig.await("it throws", () -> driver().function.info().restarts() == 1);
    driver().status(0);
    backend.released.countDown();
    EchoRig.await("the reset is complete", () -> driver().status() == 0);
    assertThat(slot.kept("disk0")).isNull();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("taken out while it is restarting, the next code serves what was in flight")
  void takenOutMeanwhile(final Rings kind) {
    start(kind, 0, WorkerOptions.manual(), new RestartBudget());
    for (int place = 0; place < 3; place++) {
      offer(0, place, place == 1, 40 + place);
    }
    backend.throwAfter(1, 1);
    driver().kick(0);
    slot.replace();
    driver().function.processNow();
    allAnsweredOfFirst(3);
  }

  private void allAnsweredOfFirst(final int places) {
    assertThat(driver().status()).isEqualTo(LIVE);
    assertThat(rings[0].usedIndex() & 0xffff).isEqualTo(places);
    for (int place = 0; place < places; place++) {
      assertThat(driver().byteAt(status(0, place))).isEqualTo(BlkDescriptor.S_OK);
      assertThat(driver().bytes(data(0, place), SECTOR)).isEqualTo(contents[sector(0, place)]);
    }
  }
}
