package io.carom.guest.shim.console;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Buffers on a queue on which the driver sends, of coherent memory. Guarded by its owner. */
final class TransmitBuffers {
  private final VirtQueue queue;
  private final DmaDevice dma;
  private final CoherentBuffer memory;
  private final int bytes;
  private final int[] free;
  private final BufferList chain = new BufferList(1);
  private int freeCount;

  /** Allocates the buffers; throws {@code DmaMemoryException} when there is no memory. */
  TransmitBuffers(final VirtQueue queue, final DmaDevice dma, final int most, final int bytes) {
    this.queue = queue;
    this.dma = dma;
    this.bytes = bytes;
    free = new int[Math.min(most, queue.size())];
    memory = dma.allocateCoherent((long) free.length * bytes);
    reset();
  }

  /** The ring is as new: all buffers are free. */
  void reset() {
    for (int i = 0; i < free.length; i++) {
      free[i] = free.length - 1 - i;
    }
    freeCount = free.length;
  }

  /** Takes back what the device has read. */
  void reap() {
    long taken = queue.take();
    while (taken != VirtQueue.NONE) {
      free[freeCount++] = VirtQueue.token(taken);
      taken = queue.take();
    }
  }

  /** Whether a buffer is free. */
  boolean ready() {
    return freeCount > 0;
  }

  /** Hands bytes to the device, as many as one buffer holds; how many. Only when it is ready. */
  int send(final byte[] from, final int offset, final int length) {
    final int index = free[--freeCount];
    final int piece = Math.min(length, bytes);
    final long at = (long) index * bytes;
    MemorySegment.copy(from, offset, memory.memory(), ValueLayout.JAVA_BYTE, at, piece);
    chain.clear();
    chain.readable(memory.busAddress() + at, piece);
    if (!queue.add(chain, index)) {
      throw new IllegalStateException("no room for a transmit buffer that was free");
    }
    queue.publish();
    return piece;
  }

  VirtQueue queue() {
    return queue;
  }

  void free() {
    dma.freeCoherent(memory);
  }
}
