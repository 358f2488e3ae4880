package io.carom.benchmarks.io;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/**
 * One job: keeps a number of requests in flight, each mapped as a whole list before it is submitted
 * and unmapped when it is finished. A request whose map fails waits for another one's end. Used by
 * one thread.
 */
public final class Job implements AutoCloseable {
  private final DmaDevice dma;
  private final IoDevice device;
  private final Medium medium;
  private final Request[] requests;
  private final DmaDirection direction;
  private final LongSupplier clock;
  private final LongSupplier cpuClock;
  private final ArrayDeque<Integer> idle = new ArrayDeque<>();
  private final int[] slots;
  private long mediumAt;
  private long mapNs;
  private long unmapNs;
  private long requeues;

  Job(
      final DmaDevice dma,
      final IoDevice device,
      final Medium medium,
      final Request[] requests,
      final LongSupplier clock,
      final LongSupplier cpuClock) {
    this.dma = dma;
    this.device = device;
    this.medium = medium;
    this.requests = requests.clone();
    this.clock = clock;
    this.cpuClock = cpuClock;
    direction = medium.write() ? DmaDirection.TO_DEVICE : DmaDirection.FROM_DEVICE;
    slots = new int[requests.length];
  }

  /**
   * Runs until so many requests were started or so much time has passed, and then until all of them
   * are finished.
   *
   * @throws IllegalStateException when it cannot go on; one line
   */
  public IoStretch run(final long ios, final long ns) {
    mapNs = 0;
    unmapNs = 0;
    requeues = 0;
    idle.clear();
    for (int i = 0; i < requests.length; i++) {
      idle.add(i);
    }
    final long cpu = cpuClock.getAsLong();
    final long start = clock.getAsLong();
    long started = 0;
    long finished = 0;
    while (true) {
      while (!idle.isEmpty() && started < ios && clock.getAsLong() - start < ns) {
        if (!begin(idle.getFirst())) {
          break;
        }
        idle.removeFirst();
        started++;
      }
      if (started == finished) {
        if (requeues > 0 && started < ios && clock.getAsLong() - start < ns) {
          throw new IllegalStateException("a map fails while no other request is in flight");
        }
        break;
      }
      final int count = device.reap(slots);
      for (int i = 0; i < count; i++) {
        end(slots[i]);
        idle.addLast(slots[i]);
      }
      finished += count;
    }
    final long took = clock.getAsLong() - start;
    return new IoStretch(
        finished, requeues, took, mapNs, unmapNs, cpuClock.getAsLong() - cpu);
  }

  private boolean begin(final int slot) {
    final Request request = requests[slot];
    request.mediumOffset = mediumAt;
    final long before = clock.getAsLong();
    final int runs = dma.mapSg(request.list(), direction, DmaAttributes.NONE);
    mapNs += clock.getAsLong() - before;
    if (runs == 0) {
      requeues++;
      return false;
    }
    mediumAt = mediumAt + 2 * request.bytes() > Medium.BYTES ? 0 : mediumAt + request.bytes();
    device.submit(slot);
    return true;
  }

  private void end(final int slot) {
    final long before = clock.getAsLong();
    dma.unmapSg(requests[slot].list(), direction, DmaAttributes.NONE);
    unmapNs += clock.getAsLong() - before;
  }

  /**
   * Runs each request once and compares every byte of it.
   *
   * @throws IllegalStateException when one differs; the line names request and byte
   */
  public void verify(final long seed) {
    final SplittableRandom random = new SplittableRandom(seed);
    final Medium written = new Medium(true, random.nextLong());
    mediumAt = 0;
    long at = 0;
    for (final Request request : requests) {
      if (medium.write()) {
        request.set(written.bytes(), at);
      } else {
        request.clear();
      }
      at += request.bytes();
    }
    if (medium.write()) {
      medium.bytes().fill((byte) 0);
    }
    run(requests.length, Long.MAX_VALUE);
    at = 0;
    for (int i = 0; i < requests.length; i++) {
      final Request request = requests[i];
      long differs = request.mismatch(medium.bytes(), request.mediumOffset);
      if (differs < 0 && medium.write()) {
        differs = request.mismatch(written.bytes(), at); // nor may what was read from have changed
      }
      if (differs >= 0) {
        throw new IllegalStateException(
            "request " + i + " differs from the medium at byte " + differs + "; seed " + seed);
      }
      at += request.bytes();
    }
  }

  @Override
  public void close() {
    device.close();
  }
}
