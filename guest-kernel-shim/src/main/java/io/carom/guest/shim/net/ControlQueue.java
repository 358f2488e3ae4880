package io.carom.guest.shim.net;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.virtio.NetDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/**
 * The control queue (virtio 1.4, section Control Virtqueue). A request waits for its answer, a
 * bounded time: the work thread's.
 */
final class ControlQueue {
  private static final long TIMEOUT_NS = 5_000_000_000L;
  private static final long POLL_NS = 20_000;
  private static final int ACK = 64;
  private static final int BYTES = 128;
  private static final int UNANSWERED = 0xff;

  private final VirtioDevice device;
  private final VirtQueue queue;
  private final DmaDevice dma;
  private final CoherentBuffer buffer;
  private final BufferList buffers = new BufferList(2);

  ControlQueue(final VirtioDevice device, final VirtQueue queue, final DmaDevice dma) {
    this.device = device;
    this.queue = queue;
    this.dma = dma;
    buffer = dma.allocateCoherent(BYTES);
  }

  void free() {
    dma.freeCoherent(buffer);
  }

  /** Has the device use so many pairs. */
  void pairs(final int pairs) throws ProbeException {
    final MemorySegment memory = buffer.memory();
    final byte[] request = {
      NetDescriptor.CTRL_MQ, NetDescriptor.CTRL_MQ_PAIRS_SET, (byte) pairs, (byte) (pairs >>> 8)
    };
    MemorySegment.copy(request, 0, memory, ValueLayout.JAVA_BYTE, 0, request.length);
    memory.set(ValueLayout.JAVA_BYTE, ACK, (byte) UNANSWERED);
    buffers.clear();
    buffers.readable(buffer.busAddress(), request.length);
    buffers.writable(buffer.busAddress() + ACK, 1);
    if (!queue.add(buffers, 0)) {
      throw new ProbeException("the control queue is too small for a request");
    }
    queue.publish();
    final long start = System.nanoTime();
    while (queue.take() == VirtQueue.NONE) {
      final String violation = queue.violation();
      if (violation != null) {
        throw new ProbeException(violation);
      }
      if (!device.running()) {
        throw new ProbeException("the device is gone or needs a reset");
      }
      if (System.nanoTime() - start > TIMEOUT_NS) {
        throw new ProbeException("no answer to a control request");
      }
      LockSupport.parkNanos(POLL_NS);
    }
    final int answer = memory.get(ValueLayout.JAVA_BYTE, ACK) & 0xff;
    if (answer != NetDescriptor.CTRL_OK) {
      throw new ProbeException("the device refuses " + pairs + " queue pairs: " + answer);
    }
  }
}
