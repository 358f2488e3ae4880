package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioStatus;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The device status field (virtio 1.4, section Device Status Field). Bits are only ever added, and
 * only a complete reset takes them away: a driver must not clear them, and NEEDS_RESET must not be
 * lost. Changed by guest threads and by queue workers; one atomic word decides every race.
 */
final class DeviceStatus {
  /** Behind the register's eight bits: a reset has begun and is not complete. */
  private static final int RESETTING = 0x100;

  private static final int REGISTER = 0xff;
  private static final int SERVING_MASK =
      RESETTING | VirtioStatus.DRIVER_OK | VirtioStatus.NEEDS_RESET | VirtioStatus.FAILED;

  private final AtomicInteger bits = new AtomicInteger();
  private volatile @Nullable String lastError;

  /** What the driver reads: while a reset goes on, what it was before. */
  int register() {
    return bits.get() & REGISTER;
  }

  /** Whether all these bits are set. */
  boolean has(final int wanted) {
    return (bits.get() & wanted) == wanted;
  }

  /** Sets bits. */
  void add(final int more) {
    bits.accumulateAndGet(more, (a, b) -> a | b);
  }

  /** Whether queues may be served. */
  boolean serving() {
    return (bits.get() & SERVING_MASK) == VirtioStatus.DRIVER_OK;
  }

  /** Whether a reset has begun and is not complete. */
  boolean resetting() {
    return (bits.get() & RESETTING) != 0;
  }

  /** Begins a reset: nothing is served from now on. */
  void beginReset() {
    add(RESETTING);
  }

  /** Completes a reset. */
  void clear() {
    bits.set(0);
  }

  /**
   * Sets NEEDS_RESET.
   *
   * @return whether it was set by this call; not when it is set already or a reset is under way
   */
  boolean needsReset(final String reason) {
    int old;
    do {
      old = bits.get();
      if ((old & (RESETTING | VirtioStatus.NEEDS_RESET)) != 0) {
        return false;
      }
    } while (!bits.compareAndSet(old, old | VirtioStatus.NEEDS_RESET));
    lastError = reason;
    return true;
  }

  /** Remembers why something was refused, or null when all is well again. */
  void lastError(final @Nullable String reason) {
    lastError = reason;
  }

  /** The last error; it survives a reset, until features are negotiated again. */
  @Nullable String lastError() {
    return lastError;
  }
}
