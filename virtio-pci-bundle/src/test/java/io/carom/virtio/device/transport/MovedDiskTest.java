package io.carom.virtio.device.transport;

import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.blk.MemoryBackend;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.Driver;
import io.carom.virtio.device.kit.DriverQueue;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.EchoRig;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import io.carom.virtio.device.kit.Seed;
import io.carom.virtio.device.state.VirtioStateCodec;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A disk that is saved and restored on another function, again and again, under a driver that
 * streams. The driver keeps several requests outstanding, each slot on sectors of its own, and
 * compares every byte that it reads with what it wrote last.
 */
@Timeout(600)
class MovedDiskTest {
  private static final int MOVES = 40;
  private static final int SLOTS = 8;
  private static final int SECTORS_OF_SLOT = 8;
  private static final long RING = 0x10000;
  private static final long HEADERS = 0x20000;
  private static final long STATUSES = 0x21000;
  private static final long DATA = 0x40000;
  private static final int SECTOR = BlkDescriptor.SECTOR;
  private static final int QUEUE_SIZE = 64;
  private static final long REGION_BYTES = 1 << 20;

  private final FakeBus bus = new FakeBus(REGION_BYTES);
  private final MemoryBackend backend = new MemoryBackend(SLOTS * SECTORS_OF_SLOT * SECTOR);

  /** A doorbell goes to the function that is there; it is not rung while that is exchanged. */
  private final ReentrantReadWriteLock place = new ReentrantReadWriteLock();

  /** Where everything of the driver lies: in RAM, or in the region. */
  private long base;

  private SwiotlbPolicy policy = SwiotlbPolicy.NONE;
  private DriverRing queue = new DriverQueue(bus, QUEUE_SIZE, RING);
  private Driver driver = plug();
  private volatile int answered;
  private final AtomicBoolean stop = new AtomicBoolean();
  private final Random random = Seed.random("moved disk");
  private final byte[][] contents = new byte[SLOTS * SECTORS_OF_SLOT][SECTOR];
  private final int[] sectorOf = new int[SLOTS];
  private final boolean[] reading = new boolean[SLOTS];
  private final boolean[] outstanding = new boolean[SLOTS];
  private final Deque<Integer> order = new ArrayDeque<>();
  private boolean inOrder;
  private long verified;

  private Driver plug() {
    final VirtioFunctionBuilder builder =
        new VirtioFunctionBuilder("disk0", Disks.over(backend, false, 1))
            .workers(new WorkerOptions(true, 1000, 100_000_000, 300_000_000_000L))
            .errors(Disks.quiet())
            .policy(policy);
    if (policy != SwiotlbPolicy.NONE) {
      builder.region(bus.region);
    }
    return new Driver(builder.build(), bus);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("every request is answered exactly once, with the right bytes, however it moves")
  void driverNoticesNothing(final Rings rings) throws Exception {
    queue = rings.make(bus, QUEUE_SIZE, RING);
    streams(rings.features);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("with event indexes, too")
  void driverWithEventIndexNoticesNothing(final Rings rings) throws Exception {
    queue = rings.make(bus, QUEUE_SIZE, RING);
    streams(rings.features | VirtioFeatures.EVENT_IDX);
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("W11 and in a SWIOTLB region that the driver must keep to, too")
  void driverInARegionNoticesNothing(final Rings rings) throws Exception {
    driver.function.unplugged();
    policy = SwiotlbPolicy.STRICT;
    base = FakeBus.REGION_BASE;
    queue = rings.make(bus, QUEUE_SIZE, base + RING);
    driver = plug();
    streams(rings.features | VirtioFeatures.SWIOTLB);
    assertThat(bus.ramAccesses).as("system memory").hasValue(0);
  }

  private void streams(final long features) throws Exception {
    inOrder = (features & VirtioFeatures.IN_ORDER) != 0;
    driver.start(features, queue);
    final CompletableFuture<Integer> stream = CompletableFuture.supplyAsync(this::stream);
    int served = 0;
    for (int move = 0; move < MOVES; move++) {
      final int before = answered;
      EchoRig.await("progress", () -> answered != before || stream.isDone());
      served += move();
    }
    stop.set(true);
    final int sent = stream.get(300, TimeUnit.SECONDS);
    served += (int) driver.function.info().requests();
    assertThat(served).as("requests that the devices served").isEqualTo(sent);
    assertThat(answered).isEqualTo(sent);
    assertThat(driver.status()).isEqualTo(0x0f);
    assertThat(verified).isPositive();
    driver.function.unplugged();
  }

  /** Moves it; how many requests the old function served. */
  private int move() {
    final VirtioPciFunction old = driver.function;
    final byte[] saved = VirtioStateCodec.write(old.save());
    old.unplugged();
    final Driver next = plug();
    final VirtioState state = VirtioStateCodec.read(saved);
    place.writeLock().lock();
    try {
      next.function.restore(state);
      driver = next;
    } finally {
      place.writeLock().unlock();
    }
    return (int) old.info().requests();
  }

  /** The driver's thread; how many requests it made. */
  private int stream() {
    int sent = 0;
    int reaped = 0;
    while (!stop.get() || sent != reaped) {
      for (int slot = 0; slot < SLOTS && !stop.get(); slot++) {
        if (!outstanding[slot]) {
          send(slot);
          sent++;
        }
      }
      final int from = reaped;
      EchoRig.await("an answer", () -> used() != (from & 0xffff));
      final int to = used();
      while ((reaped & 0xffff) != to) {
        final int head = order.removeFirst();
        if (inOrder) {
          reap(head, -1); // which is all that a batch says of it
        } else {
          reap(queue.usedId(reaped), queue.usedLength(reaped));
        }
        reaped++;
      }
      answered = reaped;
    }
    return sent;
  }

  private int used() {
    return queue.usedIndex() & 0xffff;
  }

  private void send(final int slot) {
    final int sector = SECTORS_OF_SLOT * slot + random.nextInt(SECTORS_OF_SLOT);
    final boolean read = random.nextBoolean();
    final long data = base + DATA + (long) SECTOR * slot;
    if (read) {
      driver.bytes(data, new byte[SECTOR]);
    } else {
      random.nextBytes(contents[sector]);
      driver.bytes(data, contents[sector]);
    }
    driver.bytes(base + STATUSES + slot, new byte[] {-1});
    sectorOf[slot] = sector;
    reading[slot] = read;
    outstanding[slot] = true;
    final long header = base + HEADERS + 16L * slot;
    driver.header(header, read ? BlkDescriptor.T_IN : BlkDescriptor.T_OUT, sector);
    queue.desc(3 * slot, header, 16, NEXT, 3 * slot + 1);
    queue.desc(3 * slot + 1, data, SECTOR, (read ? WRITE : 0) | NEXT, 3 * slot + 2);
    queue.desc(3 * slot + 2, base + STATUSES + slot, 1, WRITE, 0);
    queue.offer(3 * slot);
    order.addLast(3 * slot);
    place.readLock().lock();
    try {
      driver.kick(0);
    } finally {
      place.readLock().unlock();
    }
  }

  private void reap(final int id, final int length) {
    final int slot = id / 3;
    assertThat(id % 3).isZero();
    assertThat(outstanding[slot]).as("answered once").isTrue();
    outstanding[slot] = false;
    assertThat(driver.byteAt(base + STATUSES + slot)).isEqualTo(BlkDescriptor.S_OK);
    assertThat(inOrder || length == (reading[slot] ? SECTOR + 1 : 1)).isTrue();
    if (reading[slot]) {
      assertThat(driver.bytes(base + DATA + (long) SECTOR * slot, SECTOR))
          .isEqualTo(contents[sectorOf[slot]]);
      verified += SECTOR;
    }
  }
}
