package io.carom.guest.shim.console;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Buffers on a queue on which the device sends: always posted, each that comes back is read, wiped
 * and posted again. Coherent memory, as for a console's few bytes no mapping pays. The interrupt
 * thread's.
 */
final class ReceiveBuffers {
  private final VirtQueue queue;
  private final DmaDevice dma;
  private final CoherentBuffer memory;
  private final int bytes;
  private final int count;
  private final BufferList chain = new BufferList(1);

  /** Takes what the device wrote. */
  @FunctionalInterface
  interface Sink {
    /** Bytes of one buffer; valid until it returns. */
    void take(byte[] bytes);
  }

  /** Allocates the buffers; throws {@code DmaMemoryException} when there is no memory. */
  ReceiveBuffers(final VirtQueue queue, final DmaDevice dma, final int most, final int bytes) {
    this.queue = queue;
    this.dma = dma;
    this.bytes = bytes;
    count = Math.min(most, queue.size());
    memory = dma.allocateCoherent((long) count * bytes);
  }

  /** Puts all buffers into the ring, which is as new; the device sees them with {@link #show}. */
  void post() {
    for (int i = 0; i < count; i++) {
      post(i);
    }
  }

  private void post(final int index) {
    chain.clear();
    chain.writable(memory.busAddress() + (long) index * bytes, bytes);
    if (!queue.add(chain, index)) {
      throw new IllegalStateException("no room for a receive buffer that was taken");
    }
  }

  /** Shows the device what was posted. */
  void show() {
    queue.publish();
    queue.enableInterrupts();
  }

  /**
   * Reads one buffer that came back.
   *
   * @return whether there was one; the ring says in its violation when it broke a rule
   */
  boolean read(final Sink sink) {
    final long taken = queue.take();
    if (taken == VirtQueue.NONE) {
      return false;
    }
    final int index = VirtQueue.token(taken);
    final MemorySegment written =
        memory.memory().asSlice((long) index * bytes, VirtQueue.length(taken));
    final byte[] copy = written.toArray(ValueLayout.JAVA_BYTE);
    written.fill((byte) 0);
    post(index);
    sink.take(copy);
    return true;
  }

  VirtQueue queue() {
    return queue;
  }

  void free() {
    dma.freeCoherent(memory);
  }
}
