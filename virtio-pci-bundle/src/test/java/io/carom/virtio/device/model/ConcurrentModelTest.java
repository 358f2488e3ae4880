package io.carom.virtio.device.model;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.EchoModel;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.transport.VirtioFunctionBuilder;
import io.carom.virtio.device.transport.WorkerOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several guest threads at one doorbell, and several device threads at one event queue. */
@Timeout(600)
class ConcurrentModelTest {
  private static final long DATA = 0x40000;
  private static final int EVENT = 8;

  private final EchoModel model = new EchoModel();
  private final FakeBus bus = new FakeBus(0);
  private final Driver driver =
      new Driver(
          new VirtioFunctionBuilder("echo0", new ModelDevice(model, "bundle test"))
              .workers(WorkerOptions.manual())
              .errors(Disks.quiet())
              .build(),
          bus);
  private final DriverQueue requests = new DriverQueue(bus, 64, 0x10000);
  private final DriverQueue events = new DriverQueue(bus, 64, 0x20000);
  private final ReentrantLock ring = new ReentrantLock();

  private void start() {
    driver.negotiate(0);
    driver.enable(EchoModel.DOORBELL, requests);
    driver.enable(EchoModel.EVENTS, events);
    driver.ready();
  }

  private static void join(final List<CompletableFuture<Void>> all) throws Exception {
    for (final CompletableFuture<Void> one : all) {
      one.get(300, TimeUnit.SECONDS);
    }
  }

  /** Publishes under the driver's lock, rings without it, and wants the answer at once. */
  private void ask(final int thread, final int rounds, final Random random) {
    final long at = DATA + 0x1000L * thread;
    requests.desc(2 * thread, at, 4, NEXT, 2 * thread + 1);
    requests.desc(2 * thread + 1, at + 0x800, 4, WRITE, 0);
    for (int round = 0; round < rounds; round++) {
      final byte[] question = new byte[4];
      random.nextBytes(question);
      driver.bytes(at, question);
      driver.bytes(at + 0x800, new byte[4]);
      ring.lock();
      try {
        requests.offer(2 * thread);
      } finally {
        ring.unlock();
      }
      driver.kick(0);
      for (int i = 0; i < question.length; i++) {
        question[i]++;
      }
      assertThat(driver.bytes(at + 0x800, 4))
          .as("thread %d, round %d: served when the doorbell returns", thread, round)
          .isEqualTo(question);
    }
  }

  @Test
  void eachThreadsRequestIsServedWhenItsDoorbellReturns() throws Exception {
    final Random random = Seed.random("doorbells");
    final int threads = 3;
    final int rounds = 5_000;
    start();
    final List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      final int thread = i;
      final Random own = new Random(random.nextLong());
      all.add(
          CompletableFuture.runAsync(() -> ask(thread, rounds, own), Thread::startVirtualThread));
    }
    join(all);
    assertThat(model.overlapped).as("two threads in the handler").isFalse();
    assertThat(model.served).hasValue(threads * rounds);
    assertThat(requests.usedIndex()).isEqualTo(threads * rounds & 0xffff);
    assertThat(driver.function.info().queues().getFirst().kicks()).isEqualTo(threads * rounds);
    assertThat(bus.openSections).hasValue(0);
    assertThat(driver.needsReset()).isFalse();
  }

  /** Resets come between doorbells; after one is complete nothing is written any more. */
  @Test
  void resetsComeBetweenDoorbells() throws Exception {
    final Random random = Seed.random("doorbells and resets");
    for (int round = 0; round < 300; round++) {
      driver.bytes(requests.used, new byte[600]);
      driver.bytes(requests.avail, new byte[134]);
      requests.index(0);
      start();
      final List<CompletableFuture<Void>> all = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        final int thread = i;
        all.add(CompletableFuture.runAsync(() -> ring(thread)));
      }
      for (int i = random.nextInt(3000); i > 0; i--) {
        Thread.onSpinWait();
      }
      driver.status(0);
      while (driver.status() != 0) {
        Thread.onSpinWait();
      }
      final int used = requests.usedIndex();
      final byte[] seen = driver.bytes(DATA, 0x2000);
      join(all);
      assertThat(requests.usedIndex()).as("round %d", round).isEqualTo(used);
      assertThat(driver.bytes(DATA, 0x2000)).as("round %d", round).isEqualTo(seen);
    }
    assertThat(model.overlapped).isFalse();
    assertThat(bus.openSections).hasValue(0);
  }

  private void ring(final int thread) {
    final long at = DATA + 0x1000L * thread;
    requests.desc(2 * thread, at, 4, NEXT, 2 * thread + 1);
    requests.desc(2 * thread + 1, at + 0x800, 4, WRITE, 0);
    for (int i = 0; i < 20; i++) {
      ring.lock();
      try {
        requests.offer(2 * thread);
      } finally {
        ring.unlock();
      }
      driver.kick(0);
    }
  }

  /** Every event that was taken arrives whole and once, whoever sent it. */
  @Test
  void eventsOfManyThreadsArriveWholeAndOnce() throws Exception {
    final int senders = 3;
    final int each = 3_000;
    start();
    for (int head = 0; head < 32; head++) {
      offerEvent(head);
    }
    final BitSet arrived = new BitSet();
    final AtomicInteger refused = new AtomicInteger();
    final List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < senders; i++) {
      final int sender = i;
      all.add(CompletableFuture.runAsync(() -> send(sender * each, each, refused)));
    }
    int seen = 0;
    while (seen < senders * each) {
      while (seen < senders * each && (seen & 0xffff) != events.usedIndex()) {
        final int head = events.usedId(seen);
        assertThat(events.usedLength(seen)).isEqualTo(EVENT);
        final long at = DATA + 0x100L * head;
        final int number = bus.ram.get(ValueLayout.JAVA_INT_UNALIGNED, at);
        assertThat(bus.ram.get(ValueLayout.JAVA_INT_UNALIGNED, at + 4)).isEqualTo(~number);
        assertThat(arrived.get(number)).as("event %d again", number).isFalse();
        arrived.set(number);
        seen++;
        offerEvent(head);
      }
      Thread.onSpinWait();
      if (all.stream().anyMatch(CompletableFuture::isCompletedExceptionally)) {
        join(all);
      }
    }
    join(all);
    assertThat(arrived.cardinality()).isEqualTo(senders * each);
    assertThat(driver.needsReset()).isFalse();
    assertThat(bus.openSections).hasValue(0);
  }

  private void offerEvent(final int head) {
    events.desc(head, DATA + 0x100L * head, EVENT, WRITE, 0);
    events.offer(head);
  }

  private void send(final int first, final int count, final AtomicInteger refused) {
    for (int number = first; number < first + count; number++) {
      final byte[] event = new byte[EVENT];
      final MemorySegment memory = MemorySegment.ofArray(event);
      memory.set(ValueLayout.JAVA_INT_UNALIGNED, 0, number);
      memory.set(ValueLayout.JAVA_INT_UNALIGNED, 4, ~number);
      while (!model.context().send(EchoModel.EVENTS, event)) {
        refused.incrementAndGet();
        Thread.onSpinWait();
      }
    }
  }

  /** Rings of noise: nothing escapes, and the device works after a reset. */
  @Test
  void hostileRingsLeaveADeviceThatWorksAfterItsReset() {
    final Random random = Seed.random("hostile doorbell");
    final AtomicBoolean broken = new AtomicBoolean();
    for (int round = 0; round < 400; round++) {
      driver.bytes(requests.used, new byte[600]);
      driver.bytes(requests.avail, new byte[134]);
      driver.negotiate(random.nextBoolean() ? 1L << 28 | 1L << 29 : 0);
      driver.enable(EchoModel.DOORBELL, requests);
      driver.enable(EchoModel.EVENTS, events);
      driver.ready();
      for (int i = 0; i < 64; i++) {
        noise(random, requests, i);
        noise(random, events, i);
      }
      for (int i = 1 + random.nextInt(8); i > 0; i--) {
        requests.place(random.nextInt(10) == 0 ? random.nextInt(0x10000) : random.nextInt(64));
        events.place(random.nextInt(64));
      }
      if (random.nextInt(10) == 0) {
        requests.index(random.nextInt(0x10000));
      } else {
        requests.publish();
      }
      events.publish();
      driver.kick(0);
      model.context().send(EchoModel.EVENTS, new byte[EVENT]);
      broken.compareAndSet(false, driver.needsReset());
      assertThat(bus.openSections).hasValue(0);
      model.atOnce.set(0);
      works(round);
    }
    assertThat(broken).as("some of the noise broke a rule").isTrue();
  }

  private static void noise(final Random random, final DriverQueue queue, final int index) {
    final long address =
        switch (random.nextInt(8)) {
          case 0 -> random.nextLong();
          case 1 -> FakeBus.RAM_BYTES - random.nextInt(64);
          default -> 0x100000 + random.nextInt(0x100000);
        };
    final long length = random.nextInt(6) == 0 ? random.nextInt() : random.nextInt(300);
    final int flags = random.nextInt(random.nextInt(4) == 0 ? 0x10000 : 4);
    queue.desc(
        index, address, length, flags, random.nextInt(random.nextInt(8) == 0 ? 0x10000 : 64));
  }

  private void works(final int round) {
    driver.status(0);
    assertThat(driver.status()).isZero();
    driver.bytes(requests.used, new byte[600]);
    driver.bytes(requests.avail, new byte[134]);
    requests.index(0);
    events.index(0);
    driver.bytes(events.used, new byte[600]);
    start();
    driver.bytes(DATA, new byte[] {1, 2, 3, 4});
    requests.desc(0, DATA, 4, NEXT, 1);
    requests.desc(1, DATA + 0x800, 4, WRITE, 0);
    requests.offer(0);
    driver.kick(0);
    assertThat(driver.bytes(DATA + 0x800, 4))
        .as("round %d", round)
        .isEqualTo(new byte[] {2, 3, 4, 5});
    offerEvent(0);
    assertThat(model.context().send(EchoModel.EVENTS, new byte[EVENT])).isTrue();
    driver.bytes(DATA + 0x800, new byte[4]);
    driver.status(0);
    requests.index(0);
    events.index(0);
  }
}
