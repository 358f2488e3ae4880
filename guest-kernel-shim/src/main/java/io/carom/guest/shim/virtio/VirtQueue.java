package io.carom.guest.shim.virtio;

import org.jspecify.annotations.Nullable;

/**
 * Driver side of one virtqueue, whatever its layout. What a driver knows is chains and tokens: it
 * gives a chain of buffers with a token, and gets the token back with the number of bytes that the
 * device wrote. Indirect tables, ids, wrap counters, event suppression and how an address is
 * written on the wire are the queue's.
 *
 * <p>Nothing that the device writes is believed. An id that is out of range or not in flight, a
 * used length above what the chain lets the device write, an index that jumps: the first of them
 * leaves its text in {@link #violation}, and the queue gives nothing more until it is prepared
 * again.
 *
 * <p>One thread at a time owns the queue and calls its methods; ownership passes with a
 * happens-before edge that the owner provides.
 */
public interface VirtQueue {
  /** What {@link #take} returns when there is nothing, or after a violation. */
  long NONE = -1;

  /** The queue's number. */
  int number();

  /** Entries. */
  int size();

  /** Doorbell writes so far. */
  long kicks();

  /**
   * How many chains of so many buffers fit at once, all of the queue being free.
   *
   * @param buffers of each chain, at least 1
   */
  int capacity(int buffers);

  /**
   * Makes a chain available; the device sees it with the next {@link #publish}.
   *
   * @param token 0..65535, not that of a chain in flight
   * @return false when there is no room for it now; nothing was changed then
   * @throws IllegalArgumentException for a chain that never fits, see {@link #capacity}
   */
  boolean add(BufferList buffers, int token);

  /** Whether chains were added that the device was not shown yet. */
  boolean unpublished();

  /** Shows the device what was added, and rings the doorbell if it wants to be told. */
  void publish();

  /**
   * Whether {@link #take} has something to say: a chain, or a violation that it has not found yet.
   */
  boolean pending();

  /**
   * Takes the next chain that the device has finished with.
   *
   * @return the token in bits 0..15 and the written length in bits 16..47, see {@link #token} and
   *     {@link #length}; {@link #NONE} when there is none
   */
  long take();

  /** What the device did wrong, or null. */
  @Nullable String violation();

  /** Chains that were added and not taken. */
  int inFlight();

  /**
   * Asks for an interrupt when the next chain is used.
   *
   * @return whether one was used meanwhile, for which no interrupt may come
   */
  boolean enableInterrupts();

  /** Asks for no interrupts, as far as the device heeds that. */
  void disableInterrupts();

  /** The token of what {@link #take} returned. */
  static int token(final long taken) {
    return (int) taken & 0xffff;
  }

  /** The written length of what {@link #take} returned. */
  static long length(final long taken) {
    return taken >>> 16;
  }
}
