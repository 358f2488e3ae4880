package io.carom.swiotlb.recycling;

import io.carom.swiotlb.slots.Padded;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many slots the buffers of a pool may have in all, and how many they have. Shared by the
 * stripes; it changes only when buffers are made or go back. A stripe reserves before it asks for
 * an extent, so that two of them cannot exceed the ceiling together.
 */
final class Ceiling extends Padded {
  /** Most slots. */
  final long most;

  private final AtomicLong held = new AtomicLong();
  private final AtomicInteger pressures = new AtomicInteger();

  Ceiling(final long most) {
    this.most = most;
  }

  /** Reserves slots if they are to be had. */
  boolean reserve(final long slots) {
    if (held.get() + slots > most) {
      return false;
    }
    if (held.addAndGet(slots) <= most) {
      return true;
    }
    held.addAndGet(-slots);
    return false;
  }

  /** Corrects what is held by what came or went without a reservation. */
  void add(final long slots) {
    held.addAndGet(slots);
  }

  /** A request found no room: each stripe is to trim once. */
  void press() {
    pressures.incrementAndGet();
  }

  /** How often that was. */
  int pressures() {
    return pressures.get();
  }
}
