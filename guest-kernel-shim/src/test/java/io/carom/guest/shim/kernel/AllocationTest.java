package io.carom.guest.shim.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.shim.fake.FakeBlk.Conduct;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** A request costs no heap in the steady state. */
class AllocationTest {
  private static final int DEPTH = 32;
  private static final int REQUESTS = 200_000;
  private static final long BYTES_PER_DOORBELL = 512;
  private static final long FIXED_BYTES = 100_000; // half a byte for each request

  @Test
  void workerAllocatesNothingPerRequest() throws InterruptedException {
    try (TestGuest test = TestGuest.withDisk(1, 256)) {
      test.device().conduct = Conduct.NULL_DEVICE;
      test.dma.bookkeeping = false;
      run(test); // until compiled
      final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      final long worker =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().equals("blk-req.0"))
              .mapToLong(Thread::threadId)
              .max()
              .orElseThrow();
      final long doorbellsBefore = test.bus.registerWrites.get();
      final long before = threads.getThreadAllocatedBytes(worker);
      run(test);
      final long bytes = threads.getThreadAllocatedBytes(worker) - before;
      final long doorbells = test.bus.registerWrites.get() - doorbellsBefore;
      // Doorbells go through the fake bus, which does allocate; how many there are depends on who
      // is scheduled when, so they are counted. Nothing is granted to requests.
      assertThat(bytes).isLessThan(doorbells * BYTES_PER_DOORBELL + FIXED_BYTES);
    }
  }

  private static void run(final TestGuest test) throws InterruptedException {
    final BlockDevice vda = test.vda();
    final AtomicLong left = new AtomicLong(REQUESTS);
    final CountDownLatch done = new CountDownLatch(DEPTH);
    final BlockRequest[] requests = new BlockRequest[DEPTH];
    for (int i = 0; i < DEPTH; i++) {
      requests[i] = test.request(BlockOp.READ, 8L * i, 4096);
      requests[i].completion =
          (of, status) -> {
            if (left.decrementAndGet() > 0) {
              vda.submit(of);
            } else {
              done.countDown();
            }
          };
    }
    final long start = System.nanoTime();
    for (final BlockRequest request : requests) {
      vda.submit(request);
    }
    assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
    final double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf("%.0f requests per second at depth %d%n", REQUESTS / seconds, DEPTH);
    for (final BlockRequest request : requests) {
      test.pages.free(request.buffer, 1);
    }
  }
}
