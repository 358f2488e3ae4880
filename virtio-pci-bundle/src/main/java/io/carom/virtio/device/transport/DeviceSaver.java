package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.type.DeviceType;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Brings a device to rest for saving its state, and has it go on. To the driver, rest is a moment
 * in which nothing happens: its doorbells and other writes are ignored, but for a reset, which ends
 * it; and whoever lets the device go on looks at every queue.
 */
final class DeviceSaver {
  /** Among the words of the type: says that the host keeps the device at rest. */
  private static final String AT_REST = "transport.atRest";

  private final DeviceCore core;
  private final DeviceStatus status;
  private final QueueSet queues;
  private final Plug plug;
  private final StateKeeper keeper;
  private final DeviceType type;
  private final long waitNanos;

  DeviceSaver(
      final DeviceCore core,
      final DeviceStatus status,
      final QueueSet queues,
      final Plug plug,
      final StateKeeper keeper,
      final DeviceType type,
      final long waitNanos) {
    this.core = core;
    this.status = status;
    this.queues = queues;
    this.plug = plug;
    this.keeper = keeper;
    this.type = type;
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
      return keeper.take(type.save());
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
      core.changed();
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
        core.changed();
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
      keeper.put(state, to, bus, type::restore);
      core.restored();
    } finally {
      core.leave();
    }
  }

  // ---- when the code was replaced

  /** What the machine is to keep of the device while it is served. With the lock held. */
  VirtioState toKeep() {
    return keeper.take(marked(type.words()));
  }

  /** What the machine is to keep of a device that nobody serves any more. With the lock held. */
  VirtioState atRest() {
    queues.finishResets(core.interrupts());
    status.finishSuspend();
    return keeper.take(marked(type.handOver()));
  }

  /** A device that the host brought to rest stays so: its state may have gone elsewhere. */
  private Map<String, String> marked(final Map<String, String> words) {
    if (!status.resting()) {
      return words;
    }
    final Map<String, String> more = new HashMap<>(words);
    more.put(AT_REST, "1");
    return more;
  }

  /**
   * Goes on where the device's code before left off, in its slot; if it cannot, the driver is asked
   * for a reset, and finds the registers as it left them until then. With the lock held.
   *
   * @param kept by the machine; null when the device is as after a reset
   */
  void resume(final @Nullable VirtioState kept) {
    final PciAttachment to = plug.attachment();
    final BusSession bus = plug.session();
    if (to == null || bus == null) {
      return;
    }
    plug.usedBefore();
    if (kept == null) {
      core.defaults();
      return;
    }
    String refusal = null;
    if (to.overran()) {
      refusal =
          "its code was replaced while a request was being served that does not end: none is run"
              + " again";
    } else {
      try {
        keeper.put(kept, to, bus, type::resume);
        status.resting(kept.backend().containsKey(AT_REST));
        core.restored();
        return;
      } catch (final IllegalArgumentException e) {
        refusal = e.getMessage();
      } catch (final RuntimeException | LinkageError e) { // of the type's code
        refusal = e.toString();
      }
    }
    keeper.show(kept);
    core.cannotResume(String.valueOf(refusal));
  }
}
