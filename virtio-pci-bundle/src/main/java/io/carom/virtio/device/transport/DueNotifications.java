package io.carom.virtio.device.transport;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Notifications that wait while the device is suspended or at rest.
 *
 * <p><b>Protocol.</b> Whoever has one marks it as due, then looks whether the device may notify;
 * whoever lets the device go on first changes its status, then looks at what is due. Both are
 * volatile, so at least one of the two sends it, and taking the mark back decides which.
 */
final class DueNotifications {
  private final DeviceStatus status;
  private final Interrupts interrupts;
  private final QueueSet queues;
  private final AtomicBoolean config = new AtomicBoolean();
  private final AtomicBoolean used = new AtomicBoolean();

  DueNotifications(final DeviceStatus status, final Interrupts interrupts, final QueueSet queues) {
    this.status = status;
    this.interrupts = interrupts;
    this.queues = queues;
  }

  /** A configuration change is to be told. */
  void config() {
    config.set(true);
    tell();
  }

  /** Everything is to be told once more; {@link #tell} is to follow, outside of the lock. */
  void everything() {
    config.set(true);
    used.set(true);
  }

  /** Forgets what is due. */
  void reset() {
    config.set(false);
    used.set(false);
  }

  /** Sends what is due, unless the device is suspended or at rest. */
  void tell() {
    if (status.suspended() || status.resting()) {
      return;
    }
    if (config.getAndSet(false)) {
      interrupts.config();
    }
    if (used.getAndSet(false)) {
      for (int i = 0; i < queues.count(); i++) {
        if (queues.get(i).enabled()) {
          interrupts.queue(i);
        }
      }
    }
  }
}
