package io.carom.virtio.device.transport;

import io.carom.virtio.DeviceRecord;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.RingRecord;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.type.ErrorLog;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The device's record in the machine, written through: registers and words of the type after each
 * change that the driver or the host made, never for a request, whose part is in the queues' own
 * records. So the next version of this code can go on without asking this one.
 *
 * <p><b>Protocol.</b> Who has changed something marks the record as stale, then settles; settling
 * takes the device's lock only if nobody has it, and never waits. Whoever has the lock settles
 * after letting it go. The mark is volatile and made before the try, so the last of those who
 * change or let go finds the mark and the lock free: nothing stays unkept. Queue workers may settle
 * therefore, who must not wait for the lock.
 *
 * <p>The last that is kept is the state at rest, when the function is taken out and nobody serves;
 * after that this incarnation writes no more.
 */
final class KeptState {
  private final String name;
  private final @Nullable DeviceRecords records;
  private final ReentrantLock lock;
  private final Supplier<@Nullable VirtioState> state;
  private final ErrorLog errors;
  private volatile boolean stale;
  private @Nullable DeviceRecord record; // guarded by the lock
  private boolean blank; // whether it is as after a reset; guarded by the lock

  /**
   * Keeps nothing yet.
   *
   * @param records of the machine, or null to keep nothing at all
   * @param lock the device's
   * @param state what there is to be kept now, or null for nothing; called with the lock held
   */
  KeptState(
      final String name,
      final @Nullable DeviceRecords records,
      final ReentrantLock lock,
      final Supplier<@Nullable VirtioState> state,
      final ErrorLog errors) {
    this.name = name;
    this.records = records;
    this.lock = lock;
    this.state = state;
    this.errors = errors;
  }

  /** Whether anything is kept of devices. */
  boolean present() {
    return records != null;
  }

  /** Takes the device over; what was kept of it, or null. With the lock held. */
  @Nullable VirtioState claim() {
    stale = false;
    blank = false;
    if (records == null) {
      return null;
    }
    final DeviceRecord claimed = records.claim(name);
    record = claimed;
    return claimed.kept();
  }

  /** Something is another than what is kept; {@link #settle} is to follow. */
  void changed() {
    stale = true;
  }

  /** Keeps what is stale, unless whoever has the lock will. */
  void settle() {
    while (stale && lock.tryLock()) {
      try {
        if (stale) {
          stale = false;
          keep();
        }
      } finally {
        lock.unlock();
      }
    }
  }

  private void keep() {
    final DeviceRecord to = record;
    if (to == null) {
      return;
    }
    blank = false;
    try {
      final VirtioState now = state.get();
      if (now != null) {
        to.keep(now);
      }
    } catch (final RuntimeException | LinkageError e) { // of the type's code
      errors.report("its state cannot be kept for a next version of the code: " + e);
    }
  }

  /** The driver reset the device: nothing is kept of it. With the lock held. */
  void reset() {
    stale = false;
    blank = true;
    final DeviceRecord to = record;
    if (to != null) {
      to.reset();
    }
  }

  /**
   * The device goes on in its own place: what it was is void, so that nothing of it is published
   * any more. With the lock held, while nobody serves.
   *
   * @param now the device's state; where nothing is kept that is what it goes on from
   * @return what it goes on from; null when the device is another incarnation's already
   */
  @Nullable VirtioState renew(final VirtioState now) {
    if (records == null) {
      return now;
    }
    final DeviceRecord before = record;
    if (before == null || !before.keep(now)) {
      return null;
    }
    final DeviceRecord next = before.renew();
    if (next == null) {
      return null;
    }
    record = next;
    stale = false;
    blank = false;
    return next.kept();
  }

  /** What keeps a queue from a position on, or null. With the lock held. */
  @Nullable RingRecord ring(final int queue, final int size, final int start) {
    final DeviceRecord to = record;
    return to == null ? null : to.ring(queue, size, start);
  }

  /** Keeps what there is at rest, if anything, and nothing after it. With the lock held. */
  void last(final boolean atRest) {
    if (atRest && (stale || !blank)) {
      keep();
    }
    record = null;
    stale = false;
  }
}
