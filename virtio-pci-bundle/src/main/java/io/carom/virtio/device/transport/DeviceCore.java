package io.carom.virtio.device.transport;

import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.VirtioDeviceInfo.QueueInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHost;
import io.carom.virtio.device.queue.QueueLayout;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a virtio device: status, features, reset (virtio 1.4, sections Device
 * Initialization and Device Reset). Its queues are in a {@link QueueSet}, its place on the bus in a
 * {@link Plug}.
 *
 * <p><b>Locks.</b> One lock guards what the driver sets. Those who serve queues never take it, and
 * neither is anything called on the bus's interrupt side nor a queue served while it is held: the
 * bus may hold its own lock when it calls here, and a queue's handler may take long.
 *
 * <p><b>Reset.</b> Writing 0 to the status closes the gate that workers look at and waits, for a
 * bounded time, until none is inside. If one still is (its backend hangs), the write returns, the
 * status goes on reading what it was, and writes are ignored; each later access looks again and
 * completes the reset when it can. So a driver that polls for 0, as it must, knows that no request
 * of before can write its memory. What workers do inside ends there, see {@link
 * io.carom.virtio.device.queue.QueueWorker}.
 *
 * <p><b>What a driver does in the wrong order</b> is ignored: features outside of negotiation,
 * FEATURES_OK without ACKNOWLEDGE and DRIVER, DRIVER_OK without FEATURES_OK, enabling a queue
 * before FEATURES_OK, and any value of queue_enable but 1.
 */
final class DeviceCore implements QueueHost {
  private static final int ACKNOWLEDGED = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;

  private final DeviceType type;
  private final WorkerOptions options;
  private final ErrorLog errors;
  private final ReentrantLock lock = new ReentrantLock();
  private final DeviceStatus status = new DeviceStatus();
  private final FeatureNegotiation features;
  private final Interrupts interrupts;
  private final QueueSet queues;
  private final Plug plug = new Plug();
  private volatile boolean lineStale;

  DeviceCore(
      final String name,
      final DeviceType type,
      final QueueLayout layout,
      final FeatureNegotiation features,
      final WorkerOptions options,
      final ErrorLog errors) {
    this.type = type;
    this.features = features;
    this.options = options;
    this.errors = errors;
    interrupts = new Interrupts(type.queues());
    queues = new QueueSet(name, type, layout, options, this);
  }

  // ---- plugging

  void plugged(final PciAttachment to) {
    type.plugged(new CoreLink(this, to.address().toString()));
    lock.lock();
    try {
      plug.in(to);
      interrupts.attach(to);
      queues.plugged(to);
      defaults();
    } finally {
      leave();
    }
  }

  /** Ends the workers, waiting for them for a bounded time. */
  boolean unplugged() {
    status.beginReset();
    final boolean ended = queues.close(System.nanoTime() + options.stopWaitNanos());
    final boolean wasPlugged;
    lock.lock();
    try {
      wasPlugged = plug.out();
      interrupts.attach(null);
    } finally {
      leave();
    }
    if (wasPlugged) {
      type.unplugged();
    }
    lock.lock();
    try {
      if (ended && wasPlugged) {
        defaults();
      }
    } finally {
      leave();
    }
    return ended;
  }

  @Nullable PciAttachment attachment() {
    return plug.attachment();
  }

  Interrupts interrupts() {
    return interrupts;
  }

  QueueSet queues() {
    return queues;
  }

  // ---- status

  int status() {
    enter();
    try {
      return status.register();
    } finally {
      leave();
    }
  }

  void status(final int value) {
    if (value == 0) {
      reset();
      return;
    }
    final boolean changeable = enter();
    try {
      if (!changeable) {
        return;
      }
      status.add(value & (ACKNOWLEDGED | VirtioStatus.FAILED));
      if ((value & VirtioStatus.FEATURES_OK) != 0
          && status.has(ACKNOWLEDGED)
          && !status.has(VirtioStatus.FEATURES_OK)) {
        acceptFeatures();
      }
      if ((value & VirtioStatus.DRIVER_OK) != 0 && status.has(VirtioStatus.FEATURES_OK)) {
        driverReady();
      }
    } finally {
      leave();
    }
  }

  private void acceptFeatures() {
    String reason = features.refusal();
    if (reason == null) {
      reason = type.refuse(features.accepted());
    }
    if (reason == null) {
      status.lastError(null);
      type.negotiated(features.accepted());
      plug.translated(
          type.translated() && (features.accepted() & VirtioFeatures.ACCESS_PLATFORM) != 0);
      status.add(VirtioStatus.FEATURES_OK);
    } else {
      status.lastError("FEATURES_OK refused: " + reason);
      errors.report("FEATURES_OK refused: " + reason);
    }
  }

  private void driverReady() {
    if (!status.has(VirtioStatus.DRIVER_OK)) {
      status.add(VirtioStatus.DRIVER_OK);
      queues.serveEnabled(plug.attachment());
    }
  }

  private void reset() {
    status.beginReset();
    queues.awaitOutside(System.nanoTime() + options.resetWaitNanos());
    enter();
    leave();
  }

  private void defaults() {
    queues.defaults();
    features.reset();
    interrupts.reset();
    lineStale = true;
    plug.translated(type.translated());
    type.reset();
    status.clear();
  }

  // ---- registers, for CommonConfig

  /**
   * Enters the registers: takes the lock, and completes a reset that can be.
   *
   * @return whether they may be changed; not while a reset goes on
   */
  boolean enter() {
    lock.lock();
    if (status.resetting() && queues.outside()) {
      defaults();
    }
    return !status.resetting();
  }

  /**
   * Leaves the registers. The line is the bus's to change, and queues that are served at their
   * doorbell may take long: neither may happen under our lock.
   */
  void leave() {
    lock.unlock();
    if (lock.isHeldByCurrentThread()) {
      return;
    }
    if (lineStale) {
      lineStale = false;
      interrupts.updateLine();
    }
    queues.serveDue();
  }

  FeatureNegotiation features() {
    return features;
  }

  /** Whether the driver may accept features: after ACKNOWLEDGE and DRIVER, before FEATURES_OK. */
  boolean negotiating() {
    return status.has(ACKNOWLEDGED) && !status.has(VirtioStatus.FEATURES_OK);
  }

  /** Accepted bits, 0 before they are negotiated. */
  long accepted() {
    enter();
    try {
      return status.has(VirtioStatus.FEATURES_OK) ? features.accepted() : 0;
    } finally {
      leave();
    }
  }

  int configGeneration() {
    return type.config().generation();
  }

  /** The device's configuration has changed: the driver is told, once it drives. */
  void configChanged() {
    if (status.has(VirtioStatus.DRIVER_OK) && !status.resetting()) {
      interrupts.config();
    }
  }

  // ---- queues

  /** Enables the selected queue; its areas are checked now, and again at each use. */
  void queueEnable(final int value) {
    String error = null;
    int index = 0;
    final boolean changeable = enter();
    try {
      final QueueRegisters queue = queues.selected();
      final BusSession bus = plug.session();
      if (value != 1
          || !changeable
          || queue == null
          || bus == null
          || queue.enabled()
          || status.has(VirtioStatus.NEEDS_RESET)
          || !status.has(VirtioStatus.FEATURES_OK)) {
        return;
      }
      index = queues.select();
      try {
        if (queues.enable(index, features.accepted(), bus) && status.has(VirtioStatus.DRIVER_OK)) {
          queues.serve(index, plug.attachment());
        }
      } catch (final QueueException e) {
        error = e.getMessage();
      }
    } finally {
      leave();
    }
    if (error != null) {
      broken(index, error);
    }
  }

  /**
   * The doorbell: latches and wakes, or serves; ignored while the queue is not served (section
   * 4.1.5.2).
   */
  void notify(final int queue) {
    if (status.serving()) {
      queues.kick(queue);
    }
  }

  /** Serves what doorbells have latched, on this thread; for tests, without threads. */
  void processNow() {
    final PciAttachment to = plug.attachment();
    if (to != null) {
      try (BusSession bus = to.port().open()) {
        queues.processNow(bus);
      }
    }
  }

  // ---- for workers

  @Override
  public boolean serving() {
    return status.serving();
  }

  @Override
  public boolean notifyUsed(final int queue) {
    return interrupts.queue(queue);
  }

  @Override
  public void broken(final int queue, final String reason) {
    needsReset("queue " + queue + ": " + reason);
  }

  /** The device cannot go on. */
  void needsReset(final String text) {
    if (status.needsReset(text)) {
      errors.report("needs a reset: " + text);
      if (status.has(VirtioStatus.DRIVER_OK)) {
        interrupts.config();
      }
    }
  }

  // ---- for the host

  @Nullable String lastError() {
    return status.lastError();
  }

  /** The status register without the side effect of completing a reset. */
  int statusNow() {
    return status.register();
  }

  List<QueueInfo> queueInfos() {
    lock.lock();
    try {
      return queues.infos(interrupts);
    } finally {
      leave();
    }
  }
}
