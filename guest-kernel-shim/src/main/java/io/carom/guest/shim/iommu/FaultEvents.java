package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.EVENT_ADDRESS;
import static io.carom.iommu.VirtioIommuDescriptor.EVENT_ENDPOINT;
import static io.carom.iommu.VirtioIommuDescriptor.EVENT_FLAGS;
import static io.carom.iommu.VirtioIommuDescriptor.EVENT_REASON;
import static io.carom.iommu.VirtioIommuDescriptor.EVENT_SIZE;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.iommu.VirtioIommuDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * The event queue: buffers are always posted, each that comes back is counted, printed as the
 * kernel prints it, and posted again. However many a device sends, a run reads at most one ring of
 * them and prints at most a few lines.
 *
 * <p>Each call takes the object's lock; the reader is the interrupt thread.
 */
final class FaultEvents {
  private static final int STRIDE = 32;
  private static final int FAULT_F_EXEC = 1 << 2; // not in the specification, but in the kernel
  private static final ValueLayout.OfInt U32 =
      ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong U64 =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final VirtQueue queue;
  private final BufferList chain = new BufferList(1);
  private final DmaDevice dma;
  private final LineLimit log;
  private final Consumer<String> broken;
  private final CoherentBuffer buffers;
  private boolean ended;
  private long faults;

  /** Allocates the buffers; throws {@code DmaMemoryException} when there is no memory. */
  FaultEvents(
      final VirtQueue queue,
      final DmaDevice dma,
      final LineLimit log,
      final Consumer<String> broken) {
    this.queue = queue;
    this.dma = dma;
    this.log = log;
    this.broken = broken;
    this.buffers = dma.allocateCoherent((long) queue.size() * STRIDE);
  }

  /** Puts all buffers into the ring, which is as new. */
  synchronized void post() {
    for (int i = 0; i < queue.size(); i++) {
      post(i);
    }
  }

  private void post(final int index) {
    chain.clear();
    chain.writable(buffers.busAddress() + (long) index * STRIDE, EVENT_SIZE);
    if (!queue.add(chain, index)) {
      throw new IllegalStateException("no room for an event buffer that was taken");
    }
  }

  /** Shows the buffers to a device that was started. */
  synchronized void start() {
    queue.publish();
    queue.enableInterrupts();
  }

  /** Faults so far. */
  synchronized long faults() {
    return faults;
  }

  /**
   * Reads what has come.
   *
   * @return whether to come again: more may be there, for which no interrupt will come
   */
  synchronized boolean drain() {
    if (ended) {
      return false;
    }
    int read = 0;
    long taken = VirtQueue.NONE;
    while (read < queue.size() && (taken = queue.take()) != VirtQueue.NONE) {
      read(VirtQueue.token(taken), VirtQueue.length(taken));
      post(VirtQueue.token(taken));
      read++;
    }
    final String violation = queue.violation();
    if (violation != null) {
      ended = true;
      broken.accept("event queue: " + violation);
      return false;
    }
    if (read > 0) {
      queue.publish();
    }
    return queue.enableInterrupts();
  }

  private void read(final int index, final long length) {
    if (length != EVENT_SIZE) {
      log.line("invalid event buffer (len " + length + " != " + EVENT_SIZE + ")");
      return;
    }
    faults++;
    final MemorySegment memory = buffers.memory();
    final long at = (long) index * STRIDE;
    final int reason = memory.get(ValueLayout.JAVA_BYTE, at + EVENT_REASON) & 0xff;
    final int flags = memory.get(U32, at + EVENT_FLAGS);
    final int endpoint = memory.get(U32, at + EVENT_ENDPOINT);
    final long address = memory.get(U64, at + EVENT_ADDRESS);
    log.line(text(reason, flags, endpoint, address));
  }

  private static String text(
      final int reason, final int flags, final int endpoint, final long address) {
    final String kind =
        switch (reason) {
          case VirtioIommuDescriptor.FAULT_DOMAIN -> "domain";
          case VirtioIommuDescriptor.FAULT_MAPPING -> "page";
          default -> "unknown";
        };
    final boolean where = (flags & VirtioIommuDescriptor.FAULT_F_ADDRESS) != 0;
    return String.format(
        Locale.ROOT,
        "%s fault from EP %s%s [%s%s%s]",
        kind,
        Integer.toUnsignedString(endpoint),
        where ? " at 0x" + Long.toHexString(address) : "",
        (flags & VirtioIommuDescriptor.FAULT_F_READ) != 0 ? "R" : "",
        (flags & VirtioIommuDescriptor.FAULT_F_WRITE) != 0 ? "W" : "",
        (flags & FAULT_F_EXEC) != 0 ? "X" : "");
  }

  /** Reads nothing more. */
  synchronized void end() {
    ended = true;
  }

  /** Gives the buffers back; after {@link #end} and the device's reset. */
  synchronized void free() {
    dma.freeCoherent(buffers);
  }
}
