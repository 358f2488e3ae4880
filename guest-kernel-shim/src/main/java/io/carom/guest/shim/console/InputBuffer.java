package io.carom.guest.shim.console;

/** What the host wrote and no program has read yet; bounded. Thread-safe. */
final class InputBuffer {
  private final byte[] ring;
  private int first;
  private int count;
  private boolean closed;

  InputBuffer(final int size) {
    ring = new byte[size];
  }

  /** Bytes that there is room for. */
  synchronized int room() {
    return ring.length - count;
  }

  /** Puts in bytes for which there is room. */
  synchronized void put(final byte[] bytes) {
    for (final byte value : bytes) {
      ring[(first + count) % ring.length] = value;
      count++;
    }
    notifyAll();
  }

  /** Takes out bytes, waiting for the first; 0 when the time is over, -1 when it is closed. */
  synchronized int take(final byte[] into, final long nanos) throws InterruptedException {
    final long deadline = System.nanoTime() + nanos;
    long left = nanos;
    while (count == 0 && !closed && left > 0) {
      wait(left / 1_000_000, (int) (left % 1_000_000)); // never 0 and 0: that would be for ever
      left = deadline - System.nanoTime();
    }
    final int bytes = Math.min(into.length, count);
    for (int i = 0; i < bytes; i++) {
      into[i] = ring[first];
      first = (first + 1) % ring.length;
      count--;
    }
    return bytes == 0 && closed ? -1 : bytes;
  }

  /** Whoever waits learns that nothing more comes. */
  synchronized void close() {
    closed = true;
    notifyAll();
  }

  synchronized void reopen() {
    closed = false;
  }
}
