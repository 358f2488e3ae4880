package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.type.ErrorLog;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Restarts the serving of a device whose code threw at a request, in its own place: its queues go
 * on as those of the next version of the code would, so that no request is lost and the driver sees
 * nothing but time.
 *
 * <p><b>Protocol.</b> Who serves the request that threw has left its chain in flight, and marks the
 * device as restarting before it is outside; so from then on no queue of it is served. Everybody
 * who enters the registers completes the restart when nobody serves any more, and so does a thread
 * that waits for that: sections have ended then, and what was returned is published. The record is
 * renewed, which makes that of before void; every enabled queue gets a ring that is opened at the
 * position which the machine kept, with the heads in flight to be taken again, and a handler that
 * is opened anew; every vector is raised and every queue looked at. What was returned is not served
 * again, and requests of other queues go on. Registers, configuration and what the type knows
 * beside its queues stay.
 *
 * <p><b>Bounds.</b> A request of another queue that is still being served after as long as taking
 * the function out may take, and more restarts than the budget has, make the device need a reset
 * instead. So does a state that cannot be gone on from.
 */
final class InPlaceRestart {
  private static final long LOOK_NANOS = 20_000;

  private final String name;
  private final DeviceCore core;
  private final DeviceStatus status;
  private final QueueSet queues;
  private final KeptState kept;
  private final Plug plug;
  private final WorkerOptions options;
  private final RestartBudget budget;
  private final ErrorLog errors;
  private volatile long deadline;

  InPlaceRestart(
      final String name,
      final DeviceCore core,
      final DeviceStatus status,
      final QueueSet queues,
      final KeptState kept,
      final Plug plug,
      final WorkerOptions options,
      final RestartBudget budget,
      final ErrorLog errors) {
    this.name = name;
    this.core = core;
    this.status = status;
    this.queues = queues;
    this.kept = kept;
    this.plug = plug;
    this.options = options;
    this.budget = budget;
    this.errors = errors;
  }

  /** Restarts so far. */
  long count() {
    return budget.taken();
  }

  /**
   * A queue's code failed. Called by who serves it, inside.
   *
   * @return null when that is dealt with, else why the device needs a reset
   */
  synchronized @Nullable String begin(final int queue, final int head, final Throwable why) {
    final String what = (head < 0 ? "" : "head " + head + ": ") + "an internal error: " + why;
    if (status.restarting()) {
      errors.always("queue " + queue + ": " + what + "; it is being restarted already", why);
      return null;
    }
    if (!status.mayRestart()) {
      return null; // its reset is due, and ends it
    }
    final long now = System.nanoTime();
    if (!budget.take(now)) {
      return "queue " + queue + ": " + what + ", after " + budget;
    }
    deadline = now + options.stopWaitNanos();
    if (status.beginRestart()) {
      errors.always(
          "queue " + queue + ": " + what + "; restart " + budget.taken() + " in place", why);
      if (options.threads()) {
        Thread.ofVirtual().name("restart " + name).start(this::complete);
      }
    }
    return null;
  }

  private void complete() {
    while (status.restarting()) {
      if (queues.outside() || System.nanoTime() - deadline >= 0) {
        core.enter();
        core.leave();
      }
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }

  /**
   * Completes the restart if nobody serves any more. With the lock held, while restarting.
   *
   * @return why the device needs a reset instead, or null
   */
  @Nullable String finish() {
    if (!queues.outside()) {
      return System.nanoTime() - deadline < 0
          ? null
          : "its code failed at a request while another one is being served for longer than "
              + options.stopWaitMs()
              + " ms: none is run again";
    }
    final BusSession bus = plug.session();
    if (bus == null) {
      return null; // it is being taken out
    }
    try {
      final VirtioState from = kept.renew(core.saver().toKeep());
      if (from == null) {
        return "its code failed, and another one has taken the device over";
      }
      queues.renew(queues.open(from.queues(), core.settledFeatures(), true, bus));
    } catch (final QueueException e) {
      if (e.revoked()) {
        return null; // it is being taken out, and the code that comes next goes on
      }
      return "its code failed, and cannot go on: " + e.getMessage();
    } catch (final RuntimeException | Error e) { // of the type's code too
      return "its code failed, and cannot go on: " + e;
    }
    status.endRestart();
    core.restarted();
    return null;
  }
}
