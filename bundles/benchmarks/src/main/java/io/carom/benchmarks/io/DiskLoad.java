package io.carom.benchmarks.io;

import io.carom.benchmarks.guest.BenchMachine;
import io.carom.benchmarks.measure.ThreadHeap;
import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Random reads of one disk, a number of them in flight. The completion of each submits it again, on
 * the thread that completed it: so nothing is measured but the guest's and the device's threads.
 *
 * <p>Runs one after another are started by one thread. Within a run the fields belong to the disk's
 * worker, of which there is one at a time; its start follows the submission of the first request,
 * and its last completion precedes the end of {@link #run}.
 */
public final class DiskLoad {
  private static final int MOST_TIMES = 1 << 20;
  private static final long DEADLINE_SECONDS = 60;
  private static final int SECTOR_SHIFT = 9;

  private final BlockDevice disk;
  private final BenchMachine machine;
  private final int blockBytes;
  private final long blocks;
  private final BlockRequest[] requests;
  private final SplittableRandom random;
  private final ThreadHeap heap;
  private final long[] times = new long[MOST_TIMES];
  private int timed;
  private long endNs;
  private long completed;
  private long left;
  private @Nullable String problem;
  private volatile CountDownLatch ended = new CountDownLatch(0);

  /**
   * A load that is not started.
   *
   * @param heap counts what the threads of guest and device allocate
   */
  @SuppressWarnings("this-escape") // requests know it only when they are submitted
  public DiskLoad(
      final BlockDevice disk,
      final BenchMachine machine,
      final int blockBytes,
      final int depth,
      final long seed,
      final ThreadHeap heap) {
    this.disk = disk;
    this.machine = machine;
    this.blockBytes = blockBytes;
    this.heap = heap;
    blocks = disk.capacityBytes() / blockBytes;
    random = new SplittableRandom(seed);
    requests = new BlockRequest[depth];
    for (int i = 0; i < depth; i++) {
      final BlockRequest request = new BlockRequest();
      request.op = BlockOp.READ;
      request.length = blockBytes;
      request.buffer = machine.buffer(blockBytes);
      request.completion = this::completed;
      requests[i] = request;
    }
  }

  /**
   * Reads for a time.
   *
   * @throws IllegalStateException when a request failed or did not end; one line
   */
  public DiskStretch run(final long ns) throws InterruptedException {
    return run(ns, Long.MAX_VALUE);
  }

  private DiskStretch run(final long ns, final long most) throws InterruptedException {
    final CountDownLatch latch = new CountDownLatch(requests.length);
    ended = latch;
    completed = 0;
    left = most - requests.length;
    for (final BlockRequest request : requests) {
      pick(request); // before the worker has any of them
    }
    final long before = heap.bytes();
    final long start = System.nanoTime();
    endNs = start + ns;
    for (final BlockRequest request : requests) {
      disk.submit(request);
    }
    if (!latch.await(DEADLINE_SECONDS + TimeUnit.NANOSECONDS.toSeconds(ns), TimeUnit.SECONDS)) {
      throw new IllegalStateException("requests of " + disk.serial() + " do not end");
    }
    final long took = System.nanoTime() - start;
    final long bytes = heap.bytes() - before;
    final String wrong = problem;
    if (wrong != null) {
      throw new IllegalStateException(wrong);
    }
    return new DiskStretch(completed, took, bytes);
  }

  private void pick(final BlockRequest request) {
    request.sector = random.nextLong(blocks) * (blockBytes >> SECTOR_SHIFT);
  }

  private void completed(final BlockRequest request, final BlockStatus status) {
    final long now = System.nanoTime();
    completed++;
    if (timed < MOST_TIMES) {
      times[timed++] = now - request.submittedNs;
    }
    if (status != BlockStatus.OK) {
      problem = "a read of " + disk.serial() + " at sector " + request.sector + " ended " + status;
    }
    if (now - endNs >= 0 || left <= 0 || problem != null) {
      ended.countDown();
      return;
    }
    left--;
    pick(request);
    disk.submit(request);
  }

  /** Forgets how long requests took so far. */
  public void forgetTimes() {
    timed = 0;
  }

  /** A percentile of how long requests took, from submission to completion. */
  public double percentileNs(final double percent) {
    if (timed == 0) {
      throw new IllegalStateException("no request was timed");
    }
    final long[] sorted = Arrays.copyOf(times, timed);
    Arrays.sort(sorted);
    return sorted[(int) Math.min(timed - 1L, (long) Math.ceil(timed * percent / 100) - 1)];
  }

  /**
   * Reads some blocks and compares each byte.
   *
   * @param content what the disk holds
   * @throws IllegalStateException when one differs; one line
   */
  public void verify(final MemorySegment content) throws InterruptedException {
    for (final BlockRequest request : requests) {
      machine.memory().segment(request.buffer, blockBytes).fill((byte) 0);
    }
    run(TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS), requests.length);
    for (final BlockRequest request : requests) {
      final long at = request.sector << SECTOR_SHIFT;
      final long differs =
          machine
              .memory()
              .segment(request.buffer, blockBytes)
              .mismatch(content.asSlice(at, blockBytes));
      if (differs >= 0) {
        throw new IllegalStateException(
            "a read of " + disk.serial() + " differs at byte " + (at + differs));
      }
    }
  }
}
