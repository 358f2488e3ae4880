package io.carom.benchmarks.io;

import io.carom.iommu.CostProfile;
import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A device with a thread of its own, in real time.
 *
 * <p><b>The protocol.</b> Two rings of slot numbers, each with one writer and one reader: the writer
 * fills an entry and then raises its count, volatile; the reader loads the count, volatile, before
 * the entries below it. No ring can overflow, since both have a place for each request. A driver
 * that finds nothing finished says that it waits, looks once more and parks; the device raises the
 * count before it looks whether the driver waits: one of the two sees the other. The device spins,
 * as real ones do not disturb the guest's processor to find their work.
 */
final class ThreadedDevice implements IoDevice {
  private static final int SPINS = 200;
  private static final long PARK_NS = 100_000;

  private final Medium medium;
  private final BusPort port;
  private final Request[] requests;
  private final DevicePace pace;
  private final int[] submittedSlots;
  private final int[] finishedSlots;
  private final long[] doneAt;
  private final Thread thread;
  private volatile long submitted;
  private volatile long finished;
  private volatile @Nullable Thread waiting;
  private volatile @Nullable RuntimeException failure;
  private volatile boolean stopped;
  private long submits;
  private long reaped;

  /** Starts it. */
  ThreadedDevice(
      final Medium medium, final BusPort port, final Request[] requests, final CostProfile costs) {
    this.medium = medium;
    this.port = port;
    this.requests = requests;
    pace = new DevicePace(costs, System.nanoTime());
    submittedSlots = new int[requests.length];
    finishedSlots = new int[requests.length];
    doneAt = new long[requests.length];
    thread = Thread.ofPlatform().daemon().name("bench-device").start(this::serve);
  }

  @Override
  public void submit(final int slot) {
    busy(pace.requestNs());
    submittedSlots[(int) (submits % requests.length)] = slot;
    submits++;
    submitted = submits;
  }

  @Override
  public int reap(final int[] slots) {
    for (int spins = 0; finished == reaped; spins++) {
      final RuntimeException failed = failure;
      if (failed != null) {
        throw new IllegalStateException(failed.getMessage(), failed);
      }
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        waiting = Thread.currentThread();
        if (finished == reaped) {
          LockSupport.parkNanos(this, PARK_NS);
        }
        waiting = null;
      }
    }
    final long all = finished;
    int count = 0;
    for (; reaped < all; reaped++) {
      slots[count++] = finishedSlots[(int) (reaped % requests.length)];
    }
    return count;
  }

  private static void busy(final long ns) {
    if (ns > 0) {
      final long begin = System.nanoTime();
      while (System.nanoTime() - begin < ns) {
        Thread.onSpinWait();
      }
    }
  }

  private void serve() {
    long moved = 0;
    long done = 0;
    try (BusSession session = port.open()) {
      while (!stopped) {
        if (moved < submitted) {
          final int at = (int) (moved % requests.length);
          final Request request = requests[submittedSlots[at]];
          doneAt[at] = pace.doneAt(System.nanoTime(), request.bytes());
          medium.move(session, request);
          moved++;
        }
        while (done < moved && doneAt[(int) (done % requests.length)] - System.nanoTime() <= 0) {
          final int at = (int) (done % requests.length);
          finishedSlots[at] = submittedSlots[at];
          done++;
          finish(done);
        }
        if (moved == submitted) {
          Thread.yield(); // the guest may need this processor
        }
      }
    } catch (final RuntimeException e) {
      failure = e;
      finish(done);
    }
  }

  private void finish(final long done) {
    finished = done;
    final Thread driver = waiting;
    if (driver != null) {
      LockSupport.unpark(driver);
    }
  }

  @Override
  public void close() {
    stopped = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (final InterruptedException e) {
        interrupted = true; // it ends by itself, at once
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
