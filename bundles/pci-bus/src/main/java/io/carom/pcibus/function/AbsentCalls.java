package io.carom.pcibus.function;

import io.carom.memory.MmioRetry;
import io.carom.pci.SlotRecord.Doorbell;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether the model of a function is there, and what the guest's accesses do while it is not.
 *
 * <p><b>The protocol.</b> {@code present} is volatile and written under the monitor only. A guest
 * access loads it and calls what it found; that is all there is to it while the model is there.
 *
 * <p><i>Doorbells</i> are stores that may be repeated. Who rings loads {@code present} again
 * afterwards: if it is another by now, the ring may have been lost on one that was going, and is
 * done again: on the next one, or it is latched. So a ring is never lost, and may be heard twice.
 *
 * <p><i>Every other access</i> counts itself in and then looks again whether that incarnation is
 * the present one ({@link Attachment#enter}); who detaches stores null first and then waits until
 * the count is 0. All four are volatile: either the access sees that its model is gone and waits
 * here, or it is waited for, so that what it did is part of what the model keeps. One that outlives
 * the wait is <i>abandoned</i>: what it did or read is void, and it is done again on the next
 * incarnation.
 *
 * <p>While nobody is there, accesses wait for the next incarnation, woken by {@link #publish} and
 * {@link #gone}, and by nothing later than the end of the absence. Doorbells and the news that the
 * command register changed are kept; who comes is told of both, and is published under the monitor
 * when nothing of them is left, so that none falls between.
 *
 * <p>When the bus goes and the function stays ({@link #suspend}), what waits here and what comes
 * later is done again by the next incarnation of the bus: {@link MmioRetry}.
 */
final class AbsentCalls {
  /** What publishing came to. */
  enum Published {
    /** It is present. */
    YES,
    /** There is more to be told first. */
    MORE,
    /** The function was taken out. */
    GONE
  }

  private volatile @Nullable Attachment present;
  private final Latches latches = new Latches();
  private boolean commandChanged;
  private boolean gone;
  private boolean suspended; // gone is set too
  private long untilNanos;
  private volatile long waitNanos;

  /** The incarnation that is there, or null. */
  @Nullable Attachment present() {
    return present;
  }

  /** When an access that finds nobody and begins to wait now gives up. */
  long patienceFromNow() {
    return System.nanoTime() + waitNanos;
  }

  /**
   * From now on nobody is there.
   *
   * @param wait how long the absence lasts at most
   * @return false when that one is not there
   */
  synchronized boolean away(final Attachment leaving, final long wait) {
    if (present != leaving) {
      return false;
    }
    waitNanos = wait;
    untilNanos = System.nanoTime() + wait;
    present = null;
    return true;
  }

  /** The function is taken out: accesses find nothing from now on. */
  synchronized void gone() {
    gone = true;
    present = null;
    latches.take();
    notifyAll();
  }

  /**
   * The bus goes. The function's windows are parked before.
   *
   * @return the doorbells that were latched
   */
  synchronized List<Doorbell> suspend() {
    suspended = true;
    gone = true;
    present = null;
    notifyAll();
    return latches.take();
  }

  /** Goes on with doorbells that were latched by the bus before, and with nobody there. */
  synchronized void resume(final List<Doorbell> latched, final long wait) {
    latched.forEach(l -> latches.latch(l.bar(), l.offset(), l.width(), l.value()));
    waitNanos = wait;
    untilNanos = System.nanoTime() + wait;
  }

  /** The first incarnation; nothing can have been missed yet. */
  synchronized void first(final Attachment attachment) {
    if (!gone) {
      present = attachment;
    }
  }

  /**
   * Waits for somebody.
   *
   * @param deadline of this access, as of {@link System#nanoTime}
   * @return whether somebody is there
   * @throws MmioRetry when the next incarnation of the bus is to be asked
   */
  synchronized boolean await(final long deadline) {
    while (present == null && !gone) {
      final long now = System.nanoTime();
      final long left = Math.min(deadline - now, untilNanos - now);
      if (left <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, Math.max(left, TimeUnit.MILLISECONDS.toNanos(1)));
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
    retryIfSuspended();
    return present != null;
  }

  private void retryIfSuspended() {
    if (suspended) {
      throw MmioRetry.INSTANCE;
    }
  }

  /**
   * Latches a doorbell.
   *
   * @return the incarnation to ring at instead; null when it was latched, or the function is gone
   * @throws MmioRetry when the next incarnation of the bus is to be asked
   */
  synchronized @Nullable Attachment latch(
      final int bar, final long offset, final int width, final long value) {
    retryIfSuspended();
    final Attachment now = present;
    if (now == null && !gone) {
      latches.latch(bar, offset, width, value);
    }
    return now;
  }

  /** The command register, or what is told with it, has changed; kept when nobody is there. */
  synchronized void commandChanged() {
    commandChanged = present == null;
  }

  /** Whether the command register changed since the last call. */
  synchronized boolean takeCommandChanged() {
    final boolean changed = commandChanged;
    commandChanged = false;
    return changed;
  }

  /** Takes the doorbells out that were latched. */
  synchronized List<Doorbell> takeLatches() {
    return latches.take();
  }

  /**
   * Makes an incarnation the present one, and wakes those who wait.
   *
   * @param anyway even when there is more to be told
   */
  synchronized Published publish(final Attachment next, final boolean anyway) {
    if (gone) {
      return Published.GONE;
    }
    if (!anyway && (commandChanged || !latches.isEmpty())) {
      return Published.MORE;
    }
    present = next;
    notifyAll();
    return Published.YES;
  }
}
