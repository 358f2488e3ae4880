package io.carom.guest.shim.virtio;

import java.util.Arrays;

/**
 * The chains that a device has, by the id that it returns them with: what the driver knows of them
 * and believes instead of anything that the device could have changed. Each chain has an order, a
 * number that counts up without end and is compared by difference.
 *
 * <p>Not thread-safe: the queue's owner's.
 */
final class InFlight {
  private static final int FREE = -1;

  private final int[] tokens;
  private final int[] descriptors;
  private final long[] writable;
  private final int[] orders;

  /** Ids as they were added, around and around. */
  private final int[] ids;

  private int putAt;
  private int takeAt;
  private int added;
  private int shown;
  private int taken;

  InFlight(final int size) {
    tokens = new int[size];
    descriptors = new int[size];
    writable = new long[size];
    orders = new int[size];
    ids = new int[size];
    clear();
  }

  void clear() {
    Arrays.fill(tokens, FREE);
    putAt = 0;
    takeAt = 0;
    added = 0;
    shown = 0;
    taken = 0;
  }

  /** Chains that were added and not taken. */
  int count() {
    return added - taken;
  }

  /** Chains that the device was shown and that were not taken. */
  int outstanding() {
    return shown - taken;
  }

  boolean unpublished() {
    return added != shown;
  }

  void add(final int id, final int token, final int length, final long writableBytes) {
    tokens[id] = token;
    descriptors[id] = length;
    writable[id] = writableBytes;
    orders[id] = added;
    ids[putAt] = id;
    putAt = after(putAt);
    added++;
  }

  /** All that was added is the device's now. */
  void publish() {
    shown = added;
  }

  /** Whether a device may return this id: it is that of a chain that it was shown. */
  boolean holds(final long id) {
    return id < tokens.length && tokens[(int) id] != FREE && orders[(int) id] - shown < 0;
  }

  /** How many chains, this one included, the device had before it and this one. */
  int batch(final int id) {
    return orders[id] - taken + 1;
  }

  /** The id of the chain that the device has had for longest, while all are taken in order. */
  int oldest() {
    return ids[takeAt];
  }

  int token(final int id) {
    return tokens[id];
  }

  int descriptors(final int id) {
    return descriptors[id];
  }

  long writable(final int id) {
    return writable[id];
  }

  void take(final int id) {
    tokens[id] = FREE;
    takeAt = after(takeAt);
    taken++;
  }

  private int after(final int place) {
    return place + 1 == ids.length ? 0 : place + 1;
  }
}
