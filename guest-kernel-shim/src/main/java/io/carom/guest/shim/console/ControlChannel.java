package io.carom.guest.shim.console;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaMemoryException;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.virtio.ConsoleDescriptor;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * The control queues: messages to the device wait in a bounded list while it has all buffers, as
 * nobody may wait for it. Thread-safe.
 */
final class ControlChannel {
  private static final int BUFFERS = 8;
  private static final int RECEIVE_BYTES = 128;
  private static final int MOST_WAITING = 256;

  private final ReceiveBuffers receive;
  private final TransmitBuffers transmit;
  private final ArrayDeque<byte[]> waiting = new ArrayDeque<>();

  /** Allocates the buffers; throws {@code DmaMemoryException} and keeps nothing without memory. */
  ControlChannel(final VirtQueue receive, final VirtQueue transmit, final DmaDevice dma) {
    this.receive = new ReceiveBuffers(receive, dma, BUFFERS, RECEIVE_BYTES);
    try {
      this.transmit = new TransmitBuffers(transmit, dma, BUFFERS, ConsoleDescriptor.CONTROL_SIZE);
    } catch (final DmaMemoryException e) {
      this.receive.free();
      throw e;
    }
  }

  /** The rings are as new, and the device is started. */
  synchronized void restart() {
    waiting.clear();
    transmit.reset();
    receive.post();
    receive.show();
  }

  /** Sends a message; false when too many wait: the device does not listen. */
  synchronized boolean send(final int port, final int event, final int value) {
    if (waiting.size() == MOST_WAITING) {
      return false;
    }
    waiting.add(
        new byte[] {
          (byte) port,
          (byte) (port >>> 8),
          (byte) (port >>> 16),
          (byte) (port >>> 24),
          (byte) event,
          (byte) (event >>> 8),
          (byte) value,
          (byte) (value >>> 8)
        });
    push();
    return true;
  }

  /** Hands the device what waits, as far as it has given buffers back. */
  synchronized void push() {
    transmit.reap();
    byte[] next = waiting.peek();
    while (next != null && transmit.ready()) {
      transmit.send(next, 0, next.length);
      waiting.remove();
      next = waiting.peek();
    }
    if (next != null && transmit.queue().enableInterrupts()) {
      transmit.reap(); // the next message, or the interrupt, takes it up
    }
  }

  /** Reads a message; whether there was one. The interrupt thread's. */
  boolean read(final ReceiveBuffers.Sink sink) {
    return receive.read(sink);
  }

  /** Shows the device the buffers again; whether to come again. The interrupt thread's. */
  boolean rearm() {
    receive.queue().publish();
    return receive.queue().enableInterrupts();
  }

  synchronized @Nullable String violation() {
    final String received = receive.queue().violation();
    return received != null ? received : transmit.queue().violation();
  }

  void free() {
    receive.free();
    transmit.free();
  }
}
