package io.carom.virtio.device.queue;

import io.carom.pci.BusSession;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A queue of empty buffers, which the device fills when it has something to say. Buffers are taken
 * by {@link #send} only, on its caller's thread; doorbells mean nothing.
 *
 * <p>A caller may be a thread of another device, inside a section of another port: so a send waits
 * for nothing but another send, whose work is one buffer and its notification.
 */
public final class EventSender extends TurnServer {
  private byte @Nullable [] event; // while it is sent; guarded by the turn
  private boolean sent;

  /** The sender of queue {@code index}; it sends nothing until it is active and started. */
  public EventSender(final int index, final QueueHost host) {
    super(index, host);
  }

  /** A doorbell tells of new buffers, which nobody waits for. */
  @Override
  public void wake() {}

  @Override
  void forget() {}

  /**
   * Puts bytes into the next buffer and notifies the driver. Thread-safe.
   *
   * @param bytes at least one
   * @return false when there is no buffer, it is too small (the driver gets it back, empty), or the
   *     driver is not ready
   */
  public boolean send(final byte[] bytes) {
    if (mine()) {
      return false; // an interrupt handler, on this very thread, caused another event
    }
    take();
    try {
      final BusSession bus = session();
      if (bus == null) {
        return false;
      }
      sent = false;
      event = bytes;
      drain(bus);
      return sent;
    } finally {
      event = null;
      pass();
    }
  }

  @Override
  boolean serve(
      final BusSession session,
      final VirtQueue queue,
      final QueueHandler handler,
      final DescriptorChain chain)
      throws QueueException {
    final byte[] bytes = event;
    if (bytes == null || !queue.pop(session, chain)) {
      return false;
    }
    if (chain.writableBytes() >= bytes.length) {
      final ChainCursor writer = chain.writer();
      for (int done = 0; done < bytes.length; ) {
        final MemorySegment piece = writer.next(bytes.length - done);
        MemorySegment.copy(MemorySegment.ofArray(bytes), done, piece, 0, piece.byteSize());
        done += (int) piece.byteSize(); // at most an array's length
      }
      chain.wrote(bytes.length);
      sent = true;
    }
    queue.push(chain);
    publish(session, queue, 1, 1);
    return false;
  }
}
