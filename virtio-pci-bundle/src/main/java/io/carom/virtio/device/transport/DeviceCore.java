package io.carom.virtio.device.transport;

import io.carom.pci.PciAttachment;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.VirtioDeviceInfo.QueueInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioState;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.queue.QueueHost;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a virtio device: status, features, reset, suspension (virtio 1.4, sections
 * Device Initialization, Device Reset, Virtqueue Reset and Device Suspend). Its queues are in a
 * {@link QueueSet}, its place on the bus in a {@link Plug}.
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
 * io.carom.virtio.device.queue.QueueWorker}. The reset of one queue (RING_RESET) does the same with
 * that queue alone, and reads 1 until it is complete.
 *
 * <p><b>Rest</b> is what the host wants for saving the state: as a suspension, see {@link
 * DeviceStatus}, but not visible to the driver, all of whose writes but a reset are ignored; see
 * {@link DeviceSaver}.
 *
 * <p><b>Replacement</b> of this code: registers are written through to the machine, see {@link
 * KeptState}, positions and heads in flight by the queues, so that the function which is plugged in
 * next goes on, see {@link DeviceSaver#resume}. A failure of the code while it serves leaves its
 * chain in flight, which is served again: by the next one, if the function is about to be taken
 * out, else by this one, see {@link InPlaceRestart}.
 *
 * <p><b>What a driver does in the wrong order</b> is ignored: FEATURES_OK without ACKNOWLEDGE and
 * DRIVER, DRIVER_OK without FEATURES_OK, and features and queues as their classes say.
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
  private final DueNotifications due;
  private final DeviceSaver saver;
  private final KeptState kept;
  private final QueueCommands queueCommands;
  private final InPlaceRestart restart;
  private volatile CommandListener listener = CommandListener.NONE;
  private volatile boolean lineStale;

  private volatile long negotiated; // see settledFeatures

  private volatile boolean leaving; // the function is about to be taken out
  private volatile boolean forGood;
  private boolean handingOver; // the state is taken as of a device that nobody serves any more
  private boolean resetBegun; // the driver's, and it is not complete

  private long suspendDeadline;
  private @Nullable String failure; // found under the lock, told outside of it

  DeviceCore(
      final String name,
      final DeviceType type,
      final BounceRegion region,
      final FeatureNegotiation features,
      final WorkerOptions options,
      final ErrorLog errors,
      final RestartBudget restarts,
      final @Nullable DeviceRecords records) {
    this.type = type;
    this.features = features;
    this.options = options;
    this.errors = errors;
    interrupts = new Interrupts(type.queues());
    kept = new KeptState(name, records, lock, this::toKeep, errors);
    queues = new QueueSet(name, type, region, options, this, kept);
    queueCommands = new QueueCommands(this, status, queues, plug, options.resetWaitNanos());
    due = new DueNotifications(status, interrupts, queues);
    final StateKeeper keeper = new StateKeeper(type, features, status, interrupts, queues, plug);
    saver = new DeviceSaver(this, status, queues, plug, keeper, type, options.stopWaitNanos());
    restart = new InPlaceRestart(name, this, status, queues, kept, plug, options, restarts, errors);
  }

  /** Who is told of changes of the route to memory; before the function is plugged. */
  void listener(final CommandListener wanted) {
    listener = wanted;
  }

  void plugged(final PciAttachment to) {
    leaving = false;
    forGood = false;
    type.plugged(new CoreLink(this, to.address().toString()));
    lock.lock();
    try {
      plug.in(to);
      interrupts.attach(to);
      queues.plugged(to);
      if (kept.present()) {
        saver.resume(kept.claim());
      } else {
        defaults();
      }
    } finally {
      leave();
    }
  }

  /**
   * The function is about to be taken out. From now on a failure of its own code does not break the
   * device, but is left to the code that comes next.
   *
   * @param gone whether the guest is to see that it goes
   */
  void leaving(final boolean gone) {
    leaving = true;
    forGood |= gone;
    final PciAttachment to = plug.attachment();
    if (gone && to != null) {
      to.leaving();
    }
  }

  boolean leavesForGood() {
    return forGood;
  }

  /** Ends the workers, waiting for them for a bounded time, and keeps the state at rest. */
  boolean unplugged() {
    status.beginReset();
    final boolean ended = queues.close(System.nanoTime() + options.stopWaitNanos());
    final boolean wasPlugged;
    lock.lock();
    try {
      handingOver = true;
      kept.last(ended && !forGood && plug.attachment() != null);
      handingOver = false;
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
        forget();
        if (!kept.present()) {
          listener.reset(); // else the region is the driver's still, or scrubbed by the next one
        }
      }
    } finally {
      leave();
    }
    return ended;
  }

  private @Nullable VirtioState toKeep() {
    if (resetBegun) {
      return null;
    }
    return handingOver ? saver.atRest() : saver.toKeep();
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
    if ((value & VirtioStatus.SUSPEND) != 0 && negotiated(VirtioFeatures.SUSPEND)) {
      suspend();
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
        driverReady((value & VirtioStatus.SUSPEND) == 0);
      }
      kept.changed();
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
      plug.translated(
          type.translated() && (features.accepted() & VirtioFeatures.ACCESS_PLATFORM) != 0);
      type.negotiated(features.accepted());
      negotiated = features.accepted();
      status.add(VirtioStatus.FEATURES_OK);
    } else {
      status.lastError("FEATURES_OK refused: " + reason);
      errors.report("FEATURES_OK refused: " + reason);
    }
  }

  private void driverReady(final boolean awake) {
    if (status.suspended()) {
      if (awake && status.resume()) {
        goesOn();
      }
    } else if (!status.has(VirtioStatus.DRIVER_OK)) {
      status.add(VirtioStatus.DRIVER_OK);
      queues.serveEnabled(plug.attachment());
    }
  }

  private void suspend() {
    final boolean changeable = enter();
    try {
      if (!changeable || !status.beginSuspend()) {
        return;
      }
      suspendDeadline = System.nanoTime() + options.stopWaitNanos();
      kept.changed();
    } finally {
      leave();
    }
    queues.awaitOutside(System.nanoTime() + options.resetWaitNanos());
  }

  private void reset() {
    beginReset();
    queues.awaitOutside(System.nanoTime() + options.resetWaitNanos());
    enter();
    leave();
  }

  /** Begins the driver's reset: whatever becomes of this code, nothing is kept of the device. */
  void beginReset() {
    status.beginReset();
    lock.lock();
    try {
      resetBegun = true;
      kept.reset();
    } finally {
      lock.unlock();
    }
  }

  /** As after a reset; nobody serves. With the lock held. */
  void defaults() {
    forget();
    lineStale = true;
    plug.translated(type.translated());
    listener.reset();
    kept.reset();
  }

  /** Forgets what the driver made of the device. */
  private void forget() {
    queues.defaults();
    features.reset();
    interrupts.reset();
    negotiated = 0;
    due.reset();
    type.reset();
    resetBegun = false;
    status.clear();
  }

  // ---- registers, for CommonConfig

  /**
   * Enters the registers: takes the lock, and completes what can be completed.
   *
   * @return whether they may be changed; not while a reset goes on, or the host wants rest
   */
  boolean enter() {
    lock.lock();
    if (status.resetting()) {
      if (queues.outside()) {
        defaults();
      }
    } else {
      queues.finishResets(interrupts);
      if (status.restarting()) {
        failure = restart.finish();
      }
      if (status.suspending()) {
        finishSuspend();
      }
    }
    return !status.resetting() && !status.resting();
  }

  private void finishSuspend() {
    if (queues.outside()) {
      status.finishSuspend();
      kept.changed();
    } else if (System.nanoTime() - suspendDeadline >= 0) {
      failure =
          "it could not be suspended: a request is being served for longer than "
              + options.stopWaitMs()
              + " ms";
    }
  }

  /**
   * Leaves the registers. The line is the bus's to change, and queues that are served at their
   * doorbell may take long: neither may happen under our lock.
   */
  void leave() {
    final boolean last = lock.getHoldCount() == 1;
    final String failed = last ? failure : null;
    if (last) {
      failure = null;
    }
    lock.unlock();
    if (!last) {
      return;
    }
    kept.settle();
    needsReset(failed);
    if (lineStale) {
      lineStale = false;
      interrupts.updateLine();
      due.tell();
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

  /** Whether a feature was accepted, and the features are settled. */
  boolean negotiated(final long feature) {
    return (negotiated & feature) != 0;
  }

  /** Whether the device is suspended, or about to be. */
  boolean suspended() {
    return status.suspended();
  }

  /** Whether the driver may write the configuration structure: from FEATURES_OK on. */
  boolean configWritable() {
    final boolean changeable = enter();
    try {
      return changeable && status.has(VirtioStatus.FEATURES_OK) && !status.suspended();
    } finally {
      leave();
    }
  }

  /** The device's configuration has changed: the driver is told, once it drives. */
  void configChanged() {
    if (status.driven()) {
      due.config();
    }
  }

  /** A register was written. With the lock held. */
  void changed() {
    kept.changed();
  }

  /** The type's own state or configuration has changed. Any thread; takes no lock to wait for. */
  void typeChanged() {
    kept.changed();
    kept.settle();
  }

  // ---- saved state

  DeviceSaver saver() {
    return saver;
  }

  /** Whether the host keeps the device at rest. */
  boolean atRest() {
    return status.resting();
  }

  /** The device is no longer suspended or at rest: it looks at its queues, and at what is due. */
  void goesOn() {
    lineStale = true; // and with it what is due
    if (status.has(VirtioStatus.DRIVER_OK)) {
      queues.serveEnabled(plug.attachment());
    }
  }

  /** Queues were opened anew; what their code before had to say may not have been said. */
  void restarted() {
    if (status.driven()) {
      due.everything();
    }
    goesOn();
  }

  /** A saved state was put in. */
  void restored() {
    negotiated = status.has(VirtioStatus.FEATURES_OK) ? features.accepted() : 0;
    for (int i = 0; i < queues.count(); i++) {
      if (queues.get(i).enabled()) {
        listener.queueEnabled(i, negotiated, plug.ownRange());
      }
    }
    kept.changed();
    restarted();
  }

  /** The device cannot go on from what was kept of it, though its driver thinks so. */
  void cannotResume(final String why) {
    negotiated = status.has(VirtioStatus.FEATURES_OK) ? features.accepted() : 0;
    status.needsReset(why);
    errors.report("needs a reset: " + why);
    if (status.driven()) {
      due.everything();
    }
    lineStale = true;
    kept.changed();
  }

  // ---- the route to memory

  /** The guest changed the command register, MSI-X, or a BAR. */
  void commandChanged(final int command) {
    interrupts.updateLine(); // with MSI-X on there is no line
    final String reason;
    lock.lock();
    try {
      final boolean live = status.has(VirtioStatus.DRIVER_OK) && queues.anyEnabled();
      reason = listener.commandChanged(command, plug.ownRange(), live);
    } finally {
      leave();
    }
    needsReset(reason);
  }

  // ---- queues

  /**
   * Whether queues may have this size: in the layout that was negotiated, or in any that can be.
   * One set before FEATURES_OK is looked at again when its queue is enabled.
   */
  boolean legalSize(final int size) {
    // what was negotiated has VERSION_1 at least
    return QueueLayouts.of(negotiated != 0 ? negotiated : features.offered()).legalSize(size);
  }

  /** What the driver does with the selected queue. */
  QueueCommands queueCommands() {
    return queueCommands;
  }

  /** A queue was enabled. With the lock held. */
  void queueEnabled(final int index) {
    listener.queueEnabled(index, negotiated, plug.ownRange());
    kept.changed();
    if (status.has(VirtioStatus.DRIVER_OK)) {
      queues.serve(index, plug.attachment());
    }
  }

  /** Accepted features from FEATURES_OK on, 0 before. */
  long settledFeatures() {
    return negotiated;
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
  public void failed(final int queue, final int head, final Throwable why) {
    if (leaving) {
      errors.report(
          "queue " + queue + ": left to the code that comes next, as this one failed: " + why);
      return;
    }
    needsReset(restart.begin(queue, head, why));
  }

  @Override
  public void broken(final int queue, final String reason) {
    needsReset("queue " + queue + ": " + reason);
  }

  /** The device cannot go on, if there is a reason. */
  void needsReset(final @Nullable String text) {
    if (text != null && status.needsReset(text)) {
      errors.report("needs a reset: " + text);
      if (status.has(VirtioStatus.DRIVER_OK) && !status.resting()) {
        interrupts.config();
      } else if (status.driven()) {
        due.config(); // told when it goes on
      }
      typeChanged();
    }
  }

  long restarts() {
    return restart.count();
  }

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
