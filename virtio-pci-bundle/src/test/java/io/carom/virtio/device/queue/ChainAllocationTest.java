package io.carom.virtio.device.queue;

import static io.carom.virtio.device.kit.Driver.INDIRECT;
import static io.carom.virtio.device.kit.Driver.NEXT;
import static io.carom.virtio.device.kit.Driver.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.carom.pci.BusSession;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.kit.Disks;
import io.carom.virtio.device.kit.DriverRing;
import io.carom.virtio.device.kit.FakeBus;
import io.carom.virtio.device.kit.Rings;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Serving makes no object: of a chain's whole way through a server, a ring and a disk. */
class ChainAllocationTest {
  private static final int SIZE = 32;
  private static final int CHAINS = 8;
  private static final int ROUNDS = 400;
  private static final int REPEATS = 20;
  private static final long HEADERS = 0x20000;
  private static final long TABLES = 0x24000;
  private static final long DATA = 0x30000;

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final QueueHost HOST =
      new QueueHost() {
        @Override
        public boolean serving() {
          return true;
        }

        @Override
        public boolean notifyUsed(final int queue) {
          return true;
        }

        @Override
        public void broken(final int queue, final String reason) {
          throw new AssertionError(reason);
        }
      };

  @ParameterizedTest
  @EnumSource(Rings.class)
  void servingMakesNoObject(final Rings kind) throws QueueException {
    final FakeBus bus = new FakeBus(0);
    final DriverRing ring = kind.make(bus, SIZE, RingRig.RING);
    final long features = kind.features | VirtioFeatures.INDIRECT_DESC | VirtioFeatures.EVENT_IDX;
    final BlkDevice disk = Disks.memory(false, 1);
    final QueueWorker server = new QueueWorker(0, HOST);
    server.activate(
        QueueLayouts.of(features).open(RingRig.setup(ring, features)), disk.open(0, features));
    long least = Long.MAX_VALUE;
    int served = 0;
    try (BusSession session = bus.open()) {
      for (int repeat = 0; repeat < REPEATS; repeat++) {
        long bytes = 0;
        for (int round = 0; round < ROUNDS; round++) {
          for (int i = 0; i < CHAINS; i++) {
            offer(bus, ring, i);
          }
          server.kick();
          final long before = threads.getCurrentThreadAllocatedBytes();
          server.processNow(session);
          bytes += threads.getCurrentThreadAllocatedBytes() - before;
          served += CHAINS;
          assertThat(ring.usedIndex() & 0xffff).isEqualTo(served & 0xffff);
        }
        least = Math.min(least, bytes);
      }
    }
    assertThat(server.returned()).isEqualTo((long) CHAINS * ROUNDS * REPEATS);
    assertThat(least).as("bytes for %d chains", CHAINS * ROUNDS).isLessThan(1000);
  }

  /** A read of a sector; half of them in a table. */
  private static void offer(final FakeBus bus, final DriverRing ring, final int number) {
    final long header = HEADERS + 64L * number;
    bus.ram.set(ValueLayout.JAVA_INT, header, BlkDescriptor.T_IN);
    bus.ram.set(ValueLayout.JAVA_LONG, header + 8, number);
    final long data = DATA + 1024L * number;
    if (number % 2 == 0) {
      final long table = TABLES + 64L * number;
      ring.table(table, 0, header, 16, NEXT, 1);
      ring.table(table, 1, data, 512, WRITE | NEXT, 2);
      ring.table(table, 2, data + 512, 1, WRITE, 0);
      ring.desc(3 * number, table, 48, INDIRECT, 0);
    } else {
      ring.desc(3 * number, header, 16, NEXT, 3 * number + 1);
      ring.desc(3 * number + 1, data, 512, WRITE | NEXT, 3 * number + 2);
      ring.desc(3 * number + 2, data + 512, 1, WRITE, 0);
    }
    ring.offer(3 * number);
  }
}
