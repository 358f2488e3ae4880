package io.carom.virtio.device.net;

import io.carom.virtio.device.net.NetCounters.Drop;
import org.jspecify.annotations.Nullable;

/**
 * Frames that wait for buffers of one receive queue: a fixed number, whose memory is used again.
 * Any thread offers; one thread takes, and what it looks at stays until it removes it.
 */
final class RxBacklog {
  /** Most frames that wait. */
  static final int CAPACITY = 256;

  private final @Nullable Frame[] slots = new @Nullable Frame[CAPACITY];
  private int first;
  private int count;
  private boolean open;

  /**
   * Ends taking frames; those that wait are forgotten.
   *
   * @return how many were
   */
  synchronized int close() {
    final int forgotten = count;
    // the slot that the taker may be looking at is the last to be used again
    first = (first + count) % CAPACITY;
    count = 0;
    open = false;
    return forgotten;
  }

  /** Starts taking frames, if it does not; those that wait go on waiting. */
  synchronized void open() {
    open = true;
  }

  /** Whether it is without frames. */
  synchronized boolean isEmpty() {
    return count == 0;
  }

  /**
   * Takes a copy of a frame.
   *
   * @return why it did not, or null
   */
  synchronized @Nullable Drop offer(final Frame frame) {
    if (!open) {
      return Drop.RX_NOT_READY;
    }
    if (count == CAPACITY) {
      return Drop.RX_NO_BUFFER;
    }
    final int place = (first + count) % CAPACITY;
    Frame slot = slots[place];
    if (slot == null) {
      slot = new Frame();
      slots[place] = slot;
    }
    slot.copy(frame);
    count++;
    return null;
  }

  /** The frame that came first, or null. */
  synchronized @Nullable Frame peek() {
    return count == 0 ? null : slots[first];
  }

  /** Removes the frame that came first, if there still is one. */
  synchronized void remove() {
    if (count > 0) {
      first = (first + 1) % CAPACITY;
      count--;
    }
  }
}
