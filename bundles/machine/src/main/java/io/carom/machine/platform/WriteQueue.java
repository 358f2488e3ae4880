package io.carom.machine.platform;

import java.lang.foreign.MemorySegment;

/**
 * A buffer on the way from CPUs to memory that combines writes: lines that are written back wait in
 * it, the oldest leave by themselves when it is full, and only the platform can empty it. A driver
 * that has cleaned its cache still has a device read old bytes, if nobody drains.
 *
 * <p>A line written twice while it waits is combined: it keeps its place and takes the newer bytes.
 * Stores to memory that is not cached do not pass through here: the barrier of a doorbell drains
 * them before a device can look, so there is nothing to see of them.
 */
final class WriteQueue implements Stage, LineMemory {
  private final MemorySegment image;
  private final long[] offsets;
  private final MemorySegment lines;
  private int first;
  private int count;
  private long queued;
  private long overflowed;

  /**
   * An empty queue.
   *
   * @param image the memory, as devices see it
   * @param capacity lines that it holds, at least 1
   */
  WriteQueue(final MemorySegment image, final int capacity) {
    this.image = image;
    this.offsets = new long[capacity];
    this.lines = MemorySegment.ofArray(new byte[capacity << SHIFT]);
  }

  @Override
  public synchronized void write(final long offset, final MemorySegment line) {
    int slot = find(offset);
    if (slot < 0) {
      if (count == offsets.length) {
        overflowed++;
        drainOldest();
      }
      slot = (first + count) % offsets.length;
      offsets[slot] = offset;
      count++;
    }
    queued++;
    MemorySegment.copy(line, 0, lines, (long) slot << SHIFT, LINE);
  }

  @Override
  public synchronized void read(final long offset, final MemorySegment line) {
    final int slot = find(offset);
    if (slot < 0) {
      MemorySegment.copy(image, offset, line, 0, LINE);
    } else {
      MemorySegment.copy(lines, (long) slot << SHIFT, line, 0, LINE);
    }
  }

  @Override
  public synchronized void drain() {
    while (count > 0) {
      drainOldest();
    }
  }

  /** Lines that wait. */
  synchronized int waiting() {
    return count;
  }

  /** Lines that were put in. */
  synchronized long queued() {
    return queued;
  }

  /** Lines that left because it was full. */
  synchronized long overflowed() {
    return overflowed;
  }

  private void drainOldest() {
    MemorySegment.copy(lines, (long) first << SHIFT, image, offsets[first], LINE);
    first = (first + 1) % offsets.length;
    count--;
  }

  private int find(final long offset) {
    for (int i = 0; i < count; i++) {
      final int slot = (first + i) % offsets.length;
      if (offsets[slot] == offset) {
        return slot;
      }
    }
    return -1;
  }

  @Override
  public String text() {
    return "write queue of " + offsets.length + " lines";
  }
}
