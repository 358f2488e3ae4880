package io.carom.virtio.device.net;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Frames that wait for buffers of one receive queue: a fixed number, whose memory is used again.
 * Any thread offers; one thread takes, and what it looks at stays until it removes it.
 */
final class RxBacklog {
  /** Most frames that wait. */
  static final int CAPACITY = 256;

  /** What came of an offer. */
  enum Offer {
    /** It waits. */
    TAKEN,
    /** Nobody takes frames. */
    CLOSED,
    /** Too many wait. */
    FULL,
    /** The next code will take frames. */
    AWAY
  }

  private final @Nullable Frame[] slots = new @Nullable Frame[CAPACITY];
  private int first;
  private int count;
  private boolean open;
  private boolean handedOver;

  /**
   * Ends taking frames; those that wait are forgotten.
   *
   * @return how many were
   */
  synchronized int close() {
    final int forgotten = count;
    clear();
    open = false;
    return forgotten;
  }

  private void clear() {
    if (count > 0) {
      slots[first] = null; // which the taker may be looking at
    }
    first = (first + count) % CAPACITY;
    count = 0;
  }

  /** Starts taking frames, if it does not; those that wait go on waiting. */
  synchronized void open() {
    open = true;
    handedOver = false;
  }

  /** Ends taking frames, as the next code does; what waits is its from now on. */
  synchronized List<Frame> handOver() {
    final List<Frame> frames = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      final Frame waiting = slots[(first + i) % CAPACITY];
      if (waiting != null) {
        final Frame copy = new Frame();
        copy.copy(waiting);
        frames.add(copy);
      }
    }
    clear();
    open = false;
    handedOver = true;
    return frames;
  }

  /** Takes up what the code before had waiting, as far as there is room; before it is opened. */
  synchronized void takeOver(final List<Frame> frames) {
    clear();
    frames.forEach(this::add);
  }

  /** Whether it is without frames. */
  synchronized boolean isEmpty() {
    return count == 0;
  }

  /** Takes a copy of a frame. */
  synchronized Offer offer(final Frame frame) {
    if (!open) {
      return handedOver ? Offer.AWAY : Offer.CLOSED;
    }
    return add(frame) ? Offer.TAKEN : Offer.FULL;
  }

  private boolean add(final Frame frame) {
    if (count == CAPACITY) {
      return false;
    }
    final int place = (first + count) % CAPACITY;
    Frame slot = slots[place];
    if (slot == null) {
      slot = new Frame();
      slots[place] = slot;
    }
    slot.copy(frame);
    count++;
    return true;
  }

  /** The frame that came first, or null. */
  synchronized @Nullable Frame peek() {
    return count == 0 ? null : slots[first];
  }

  /** Removes the frame that came first, if it still is this one. */
  synchronized void remove(final Frame frame) {
    if (count > 0 && slots[first] == frame) {
      first = (first + 1) % CAPACITY;
      count--;
    }
  }
}
