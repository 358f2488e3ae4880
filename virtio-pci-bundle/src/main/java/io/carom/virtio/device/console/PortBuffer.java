package io.carom.virtio.device.console;

import io.carom.virtio.device.queue.ChainCursor;
import java.util.Arrays;

/**
 * The bytes on their way in one direction of a port: a ring of a fixed size. Thread-safe; waits for
 * nothing, except in {@link #awaitBytes}.
 */
final class PortBuffer {
  private final byte[] ring;
  private int first;
  private int count;
  private long passed;
  private long dropped;
  private boolean closed;
  private boolean held;

  PortBuffer(final int size) {
    ring = new byte[size];
  }

  /** Bytes held. */
  synchronized int count() {
    return count;
  }

  /** Bytes that there is room for. */
  synchronized int room() {
    return ring.length - count;
  }

  /** Bytes that were put in. */
  synchronized long passed() {
    return passed;
  }

  /** Bytes that were overwritten before anyone took them. */
  synchronized long dropped() {
    return dropped;
  }

  /** Puts in what there is room for; how many bytes. */
  synchronized int put(final byte[] from, final int offset, final int length) {
    int done = 0;
    final int bytes = held ? 0 : Math.min(length, ring.length - count);
    while (done < bytes) {
      final int at = (first + count) % ring.length; // both are below the length of an array
      final int piece = Math.min(bytes - done, ring.length - at);
      System.arraycopy(from, offset + done, ring, at, piece);
      count += piece;
      done += piece;
    }
    arrived(bytes);
    return bytes;
  }

  /** Puts in the next bytes of a chain; at most {@link #room}. */
  synchronized void put(final ChainCursor from, final int length) {
    int done = 0;
    while (done < length) {
      final int at = (first + count) % ring.length;
      final int piece = Math.min(length - done, ring.length - at);
      from.get(ring, at, piece);
      count += piece;
      done += piece;
    }
    arrived(length);
  }

  /** Makes room by dropping the oldest bytes. */
  synchronized void makeRoom(final int bytes) {
    final int gone = Math.min(count, bytes - (ring.length - count));
    if (gone > 0) {
      first = (first + gone) % ring.length;
      count -= gone;
      dropped += gone;
    }
  }

  private void arrived(final int bytes) {
    passed += bytes;
    if (bytes > 0) {
      notifyAll();
    }
  }

  /** Takes out up to {@code length} bytes; how many. */
  synchronized int take(final byte[] into, final int offset, final int length) {
    int done = 0;
    final int bytes = held ? 0 : Math.min(length, count);
    while (done < bytes) {
      final int piece = Math.min(bytes - done, ring.length - first);
      System.arraycopy(ring, first, into, offset + done, piece);
      removed(piece);
      done += piece;
    }
    return bytes;
  }

  /** Takes out up to {@code length} bytes into a chain; how many. */
  synchronized int take(final ChainCursor into, final int length) {
    int done = 0;
    final int bytes = Math.min(length, count);
    while (done < bytes) {
      final int piece = Math.min(bytes - done, ring.length - first);
      into.put(ring, first, piece);
      removed(piece);
      done += piece;
    }
    return bytes;
  }

  private void removed(final int bytes) {
    first = (first + bytes) % ring.length;
    count -= bytes;
  }

  /** Waits until there are bytes, it is closed, or the time is over; a time of 0 does not wait. */
  synchronized void awaitBytes(final long nanos) throws InterruptedException {
    final long deadline = System.nanoTime() + nanos;
    long left = nanos;
    while ((count == 0 || held) && !closed && left > 0) {
      wait(left / 1_000_000, (int) (left % 1_000_000)); // never 0 and 0: that would be for ever
      left = deadline - System.nanoTime();
    }
  }

  /** Whoever waits is to look: its port is gone, or its end was closed. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  synchronized void reopen() {
    closed = false;
  }

  /**
   * Gives the host nothing and takes nothing from it until {@link #restore}: what it holds is told
   * to whoever comes next.
   */
  synchronized void hold() {
    held = true;
  }

  /** What it holds. */
  synchronized byte[] snapshot() {
    final byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = ring[(first + i) % ring.length];
    }
    return bytes;
  }

  /** Holds these bytes and nothing else; at most its size. */
  synchronized void restore(final byte[] bytes) {
    Arrays.fill(ring, (byte) 0);
    System.arraycopy(bytes, 0, ring, 0, bytes.length);
    first = 0;
    count = bytes.length;
    held = false;
    if (count > 0) {
      notifyAll();
    }
  }
}
