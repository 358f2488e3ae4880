package io.carom.swiotlb.dmb;

import io.carom.dma.DmaAttributes;
import io.carom.dma.spi.MapRequest;

/**
 * Small numbers for the queues of the devices that map in an area, in the order of their coming. A
 * hash table with linear probing, at most half full. Guarded by the stripe's lock.
 *
 * <p>Numbers are not used again: the core does not use a device's number again either, and what is
 * kept for queues of devices that have gone is a small part of the reserves. Once all numbers are
 * taken, whoever comes is 0, as what names no queue.
 */
final class QueueIds {
  /** Most numbers, 0 among them. */
  static final int MOST = 2048;

  private static final int SLOTS = 2 * MOST;
  private static final int MIX = 0x9e37_79b9; // 2^32 divided by the golden ratio
  private static final int SHIFT = Integer.SIZE - 12; // a home is one of 4096
  private static final int QUEUE_BITS = 11;

  private final int[] keys = new int[SLOTS]; // 0: free
  private final short[] numbers = new short[SLOTS];
  private int count = 1;

  QueueIds() {}

  /** The number of the queue that a request names; 0 when it names none. */
  int of(final MapRequest request) {
    final int queue = DmaAttributes.queueOf(request.attributes);
    if (queue < 0) {
      return 0;
    }
    // a queue's number is below 2047; a device's is small, and one of 2^20 and more is as another
    final int key = (request.device << QUEUE_BITS) | (queue + 1);
    int at = (key * MIX) >>> SHIFT;
    while (keys[at] != key) {
      if (keys[at] == 0) {
        return add(at, key);
      }
      at = (at + 1) & (SLOTS - 1);
    }
    return numbers[at];
  }

  private int add(final int at, final int key) {
    if (count == MOST) {
      return 0;
    }
    keys[at] = key;
    numbers[at] = (short) count;
    return count++;
  }
}
