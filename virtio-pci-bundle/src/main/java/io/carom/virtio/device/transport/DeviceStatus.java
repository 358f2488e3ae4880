package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioStatus;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The device status field (virtio 1.4, section Device Status Field). Bits are only ever added, and
 * only a complete reset takes them away: a driver must not clear them, and NEEDS_RESET must not be
 * lost. The exception is suspension, in which SUSPEND and DRIVER_OK take turns (section Device
 * Suspend): both are set while the device comes to rest, SUSPEND alone says that it has, and a
 * driver that writes DRIVER_OK without SUSPEND has it go on. Changed by guest threads and by queue
 * workers; one atomic word decides every race.
 *
 * <p><b>Suspension</b> waits for those who serve, as a reset does. Until it is complete both bits
 * are set; if that takes longer than taking the function out may, it has failed, and the device
 * needs a reset. Doorbells of a suspended device are dropped: when it goes on it looks at every
 * queue. A configuration notification is kept until then, see {@link DueNotifications}. Queue
 * registers and configuration keep their values meanwhile, whatever is written.
 */
final class DeviceStatus {
  /** Behind the register's eight bits: a reset has begun and is not complete. */
  private static final int RESETTING = 0x100;

  /** Behind them too: the host keeps the device at rest, which the driver does not see. */
  private static final int RESTING = 0x200;

  /** Behind them too: code failed, and its queues are about to be served anew. */
  private static final int RESTARTING = 0x400;

  private static final int REGISTER = 0xff;
  private static final int SERVING_MASK =
      RESETTING
          | RESTING
          | RESTARTING
          | VirtioStatus.DRIVER_OK
          | VirtioStatus.SUSPEND
          | VirtioStatus.NEEDS_RESET
          | VirtioStatus.FAILED;
  private static final int SUSPENSION = VirtioStatus.SUSPEND | VirtioStatus.DRIVER_OK;

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

  /** Whether a driver drives the device, be it suspended. */
  boolean driven() {
    final int now = bits.get();
    return (now & SUSPENSION) != 0 && (now & RESETTING) == 0;
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

  /** Keeps the device at rest, or lets it go on. */
  void resting(final boolean on) {
    bits.accumulateAndGet(RESTING, (a, b) -> on ? a | b : a & ~b);
  }

  /** Whether the host keeps the device at rest. */
  boolean resting() {
    return (bits.get() & RESTING) != 0;
  }

  /** What is left of the register after a restoration: all of it at once. */
  void restore(final int register) {
    bits.set(register & REGISTER);
  }

  // ---- restart in place

  /**
   * Serves nothing until {@link #endRestart}, or a reset.
   *
   * @return whether it was begun by this call; not when the device waits for a reset anyway
   */
  boolean beginRestart() {
    int old;
    do {
      old = bits.get();
      if ((old & (RESETTING | RESTARTING | VirtioStatus.NEEDS_RESET)) != 0) {
        return false;
      }
    } while (!bits.compareAndSet(old, old | RESTARTING));
    return true;
  }

  /** Whether a restart has begun and is not complete, and nothing has made it pointless. */
  boolean restarting() {
    return (bits.get() & (RESTARTING | RESETTING | VirtioStatus.NEEDS_RESET)) == RESTARTING;
  }

  /** Whether code that fails may be restarted; a device that waits for a reset needs none. */
  boolean mayRestart() {
    return (bits.get() & (RESETTING | VirtioStatus.NEEDS_RESET)) == 0;
  }

  /** Completes a restart. */
  void endRestart() {
    bits.accumulateAndGet(~RESTARTING, (a, b) -> a & b);
  }

  // ---- suspension

  /** Begins a suspension: nothing is served from now on. Whether it was begun by this call. */
  boolean beginSuspend() {
    return swap(SERVING_MASK & ~RESTARTING, VirtioStatus.DRIVER_OK, SUSPENSION);
  }

  /** Whether a suspension has begun and is not complete. */
  boolean suspending() {
    return (bits.get() & (SUSPENSION | VirtioStatus.NEEDS_RESET)) == SUSPENSION;
  }

  /** Completes a suspension, unless the device broke on the way. */
  void finishSuspend() {
    swap(SUSPENSION | VirtioStatus.NEEDS_RESET, SUSPENSION, VirtioStatus.SUSPEND);
  }

  /** Whether the device is suspended, or about to be. */
  boolean suspended() {
    return (bits.get() & VirtioStatus.SUSPEND) != 0;
  }

  /** Ends a complete suspension. Whether it was ended by this call. */
  boolean resume() {
    return swap(SUSPENSION, VirtioStatus.SUSPEND, VirtioStatus.DRIVER_OK);
  }

  /** Sets the suspension's bits if those under a mask are as expected. */
  private boolean swap(final int mask, final int expected, final int suspension) {
    int old;
    do {
      old = bits.get();
      if ((old & mask) != expected) {
        return false;
      }
    } while (!bits.compareAndSet(old, (old & ~SUSPENSION) | suspension));
    return true;
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
