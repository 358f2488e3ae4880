package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.VirtioState;
import java.util.concurrent.TimeUnit;

/**
 * Brings a device to rest for saving its state, and has it go on. To the driver, rest is a moment
 * in which nothing happens: its doorbells and other writes are ignored, but for a reset, which ends
 * it; and whoever lets the device go on looks at every queue.
 */
final class DeviceSaver {
  private final DeviceCore core;
  private final DeviceStatus status;
  private final QueueSet queues;
  private final Plug plug;
  private final StateKeeper keeper;
  private final long waitNanos;

  DeviceSaver(
      final DeviceCore core,
      final DeviceStatus status,
      final QueueSet queues,
      final Plug plug,
      final StateKeeper keeper,
      final long waitNanos) {
    this.core = core;
    this.status = status;
    this.queues = queues;
    this.plug = plug;
    this.keeper = keeper;
    this.waitNanos = waitNanos;
  }

  /**
   * Brings the device to rest and takes its state. It stays at rest.
   *
   * @throws IllegalStateException with one line, when it cannot be; it goes on then
   */
  VirtioState save() {
    rest();
    core.enter(); // completes what now can be
    try {
      if (!status.resting()) {
        throw new IllegalStateException("the driver reset the device while it was to be saved");
      }
      return keeper.take();
    } finally {
      core.leave();
    }
  }

  private void rest() {
    core.enter();
    try {
      if (status.resetting()) {
        throw new IllegalStateException("the device is being reset");
      }
      if (plug.attachment() == null) {
        throw new IllegalStateException("the device is not plugged in");
      }
      status.resting(true);
    } finally {
      core.leave();
    }
    if (!queues.awaitOutside(System.nanoTime() + waitNanos)) {
      goOn();
      throw new IllegalStateException(
          "the device does not come to rest: a request is being served for longer than "
              + TimeUnit.NANOSECONDS.toMillis(waitNanos)
              + " ms");
    }
  }

  /** Lets a device at rest go on, as if it had not been saved. */
  void goOn() {
    core.enter();
    try {
      if (status.resting()) {
        status.resting(false);
        core.goesOn();
      }
    } finally {
      core.leave();
    }
  }

  /**
   * Takes up a saved state, and goes on from it. A driver that was told of something it did not see
   * yet may have lost the message with the function that sent it, so it is told once more, of
   * everything.
   *
   * @throws IllegalStateException with one line, when the device is neither as after a reset nor at
   *     rest
   * @throws IllegalArgumentException with one line, when it cannot go on from that state
   */
  void restore(final VirtioState state) {
    core.enter();
    try {
      final PciAttachment to = plug.attachment();
      final BusSession bus = plug.session();
      if (to == null || bus == null) {
        throw new IllegalStateException("the device is not plugged in");
      }
      if (status.resetting() || (status.register() != 0 && !status.resting())) {
        throw new IllegalStateException(
            "the device is in use: it must be as after a reset, or at rest after saving");
      }
      keeper.put(state, to, bus);
      core.restored();
    } finally {
      core.leave();
    }
  }
}
