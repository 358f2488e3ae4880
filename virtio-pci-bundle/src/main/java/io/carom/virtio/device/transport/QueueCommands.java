package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.queue.QueueException;

/**
 * What the driver does with the selected queue: enables it, or resets it; and doorbells. Locks as
 * {@link DeviceCore} says.
 */
final class QueueCommands {
  private final DeviceCore core;
  private final DeviceStatus status;
  private final QueueSet queues;
  private final Plug plug;
  private final long resetWaitNanos;

  QueueCommands(
      final DeviceCore core,
      final DeviceStatus status,
      final QueueSet queues,
      final Plug plug,
      final long resetWaitNanos) {
    this.core = core;
    this.status = status;
    this.queues = queues;
    this.plug = plug;
    this.resetWaitNanos = resetWaitNanos;
  }

  /** Enables the selected queue; its areas are checked now, and again at each use. */
  void enable(final int value) {
    String error = null;
    int index = 0;
    final boolean changeable = core.enter();
    try {
      final QueueRegisters queue = queues.selected();
      final BusSession bus = plug.session();
      if (value != 1
          || !changeable
          || queue == null
          || bus == null
          || queue.enabled()
          || status.suspended()
          || status.has(VirtioStatus.NEEDS_RESET)
          || !status.has(VirtioStatus.FEATURES_OK)) {
        return;
      }
      index = queues.select();
      try {
        queues.enable(index, core.settledFeatures(), bus);
        core.queueEnabled(index);
      } catch (final QueueException e) {
        error = e.getMessage();
      }
    } finally {
      core.leave();
    }
    if (error != null) {
      core.broken(index, error);
    }
  }

  /** Resets the selected queue, with RING_RESET; what it was set to is gone when it reads 0. */
  void reset(final int value) {
    final int index;
    final boolean changeable = core.enter();
    try {
      final QueueRegisters queue = queues.selected();
      if (value != 1
          || !changeable
          || queue == null
          || queue.resetting()
          || status.suspended()
          || !core.negotiated(VirtioFeatures.RING_RESET)) {
        return;
      }
      index = queues.select();
      queues.beginReset(index);
      core.changed();
    } finally {
      core.leave();
    }
    queues.awaitOutside(index, System.nanoTime() + resetWaitNanos);
    core.enter();
    core.leave();
  }

  /**
   * A write at a doorbell's place: latches and wakes, or serves; ignored while the queue is not
   * served (section 4.1.5.2).
   */
  void doorbell(final int queue, final int width, final long value) {
    if (status.serving() && Doorbell.rings(core.settledFeatures(), queue, width, value)) {
      queues.kick(queue);
    }
  }

  /**
   * Serves what doorbells have latched, on this thread; for tests, without threads. If code fails
   * there, goes on after its restart.
   */
  void processNow() {
    final PciAttachment to = plug.attachment();
    boolean again = true;
    while (again && to != null) {
      try (BusSession bus = to.port().open()) {
        queues.processNow(bus);
      }
      again = status.restarting();
      core.enter();
      core.leave();
      again &= status.serving();
    }
  }
}
