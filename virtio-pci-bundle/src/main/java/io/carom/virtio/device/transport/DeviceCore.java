package io.carom.virtio.device.transport;

import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.PciAttachment;
import io.carom.virtio.VirtioDeviceInfo.QueueInfo;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioStatus;
import io.carom.virtio.device.queue.AddressMode;
import io.carom.virtio.device.queue.DoorbellServer;
import io.carom.virtio.device.queue.EventSender;
import io.carom.virtio.device.queue.QueueException;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.queue.QueueHost;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.queue.QueueMode;
import io.carom.virtio.device.queue.QueueServer;
import io.carom.virtio.device.queue.QueueSetup;
import io.carom.virtio.device.queue.QueueWorker;
import io.carom.virtio.device.queue.VirtQueue;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a virtio device: status, features, queues, reset (virtio 1.4, sections
 * Device Initialization and Device Reset).
 *
 * <p><b>Locks.</b> One lock guards what the driver sets. Those who serve queues never take it, and
 * neither is anything called on the bus's interrupt side nor a queue served while it is held: the
 * bus may hold its own lock when it calls here, and a queue's handler may take long.
 *
 * <p><b>The IOMMU</b> stands before the device from plugging on. A driver whose FEATURES_OK is
 * without ACCESS_PLATFORM means physical addresses, and the device bypasses the IOMMU until its
 * reset (virtio 1.4, section Reserved Feature Bits); one whose type says so bypasses it always.
 *
 * <p><b>Reset.</b> Writing 0 to the status closes the gate that workers look at and waits, for a
 * bounded time, until none is inside. If one still is (its backend hangs), the write returns, the
 * status goes on reading what it was, and writes are ignored; each later access looks again and
 * completes the reset when it can. So a driver that polls for 0, as it must, knows that no request
 * of before can write its memory. What workers do inside ends there, see {@link QueueWorker}.
 *
 * <p><b>What a driver does in the wrong order</b> is ignored: features outside of negotiation,
 * FEATURES_OK without ACKNOWLEDGE and DRIVER, DRIVER_OK without FEATURES_OK, enabling a queue
 * before FEATURES_OK, and any value of queue_enable but 1.
 */
final class DeviceCore implements QueueHost {
  private static final QueueHandler NO_HANDLER = chain -> {};
  private static final int ACKNOWLEDGED = VirtioStatus.ACKNOWLEDGE | VirtioStatus.DRIVER;

  private final String name;
  private final DeviceType type;
  private final WorkerOptions options;
  private final ErrorLog errors;
  private final ReentrantLock lock = new ReentrantLock();
  private final DeviceStatus status = new DeviceStatus();
  private final FeatureNegotiation features;
  private final Interrupts interrupts;
  private final QueueRegisters[] queues;
  private volatile QueueServer[] workers;
  private volatile @Nullable PciAttachment attachment;
  private @Nullable BusSession session;
  private volatile boolean lineStale;
  private volatile boolean doorbellsDue;
  private boolean translated = true;
  private int queueSelect;

  DeviceCore(
      final String name,
      final DeviceType type,
      final FeatureNegotiation features,
      final WorkerOptions options,
      final ErrorLog errors) {
    this.name = name;
    this.type = type;
    this.features = features;
    this.options = options;
    this.errors = errors;
    interrupts = new Interrupts(type.queues());
    queues = new QueueRegisters[type.queues()];
    for (int i = 0; i < queues.length; i++) {
      queues[i] = new QueueRegisters(type.queueSize());
    }
    workers = new QueueServer[0];
    newWorkers();
  }

  private void newWorkers() {
    final QueueServer[] fresh = new QueueServer[queues.length];
    for (int i = 0; i < fresh.length; i++) {
      fresh[i] =
          switch (type.mode(i)) {
            case WORKER -> new QueueWorker(i, this, options.spinNanos());
            case DOORBELL -> new DoorbellServer(i, this);
            case EVENTS -> new EventSender(i, this, type::buffersAdded);
          };
    }
    workers = fresh;
  }

  // ---- plugging

  void plugged(final PciAttachment to) {
    type.plugged(new CoreLink(this, to.address().toString()));
    lock.lock();
    try {
      session = to.port().open();
      attachment = to;
      translated = true; // as a function is when it is plugged
      interrupts.attach(to);
      newWorkers();
      for (int i = 0; i < queues.length; i++) {
        if (type.mode(i) != QueueMode.WORKER) {
          start(i, to);
        }
      }
      defaults();
    } finally {
      leave();
    }
  }

  /** Ends the workers, waiting for them for a bounded time. */
  boolean unplugged() {
    final QueueServer[] old = workers;
    status.beginReset();
    for (final QueueServer worker : old) {
      worker.close();
    }
    boolean ended = true;
    final long deadline = System.nanoTime() + options.stopWaitNanos();
    for (final QueueServer worker : old) {
      ended &= worker.join(deadline);
    }
    final boolean wasPlugged;
    lock.lock();
    try {
      wasPlugged = attachment != null;
      attachment = null;
      interrupts.attach(null);
      if (session != null) {
        session.close();
        session = null;
      }
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
    return attachment;
  }

  Interrupts interrupts() {
    return interrupts;
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
      translated(type.translated() && (features.accepted() & VirtioFeatures.ACCESS_PLATFORM) != 0);
      status.add(VirtioStatus.FEATURES_OK);
    } else {
      status.lastError("FEATURES_OK refused: " + reason);
      errors.report("FEATURES_OK refused: " + reason);
    }
  }

  /** Sets whether the IOMMU stands before the device; no section is open to be waited for. */
  private void translated(final boolean on) {
    final PciAttachment to = attachment;
    if (to != null && on != translated) {
      translated = on;
      to.translated(on);
    }
  }

  private void driverReady() {
    if (status.has(VirtioStatus.DRIVER_OK)) {
      return;
    }
    status.add(VirtioStatus.DRIVER_OK);
    for (int i = 0; i < queues.length; i++) {
      if (queues[i].enabled()) {
        startWorker(i);
      }
    }
  }

  private void startWorker(final int queue) {
    final PciAttachment to = attachment;
    final QueueMode mode = type.mode(queue);
    if (mode == QueueMode.WORKER && options.threads() && to != null) {
      start(queue, to);
    }
    // chains made available before it could be told are served too
    if (mode == QueueMode.DOORBELL) {
      doorbellsDue = true;
    } else {
      workers[queue].wake();
    }
  }

  private void start(final int queue, final PciAttachment to) {
    final BusPort port = to.port();
    workers[queue].start(type.typeName() + " " + name + " q" + queue, port::open);
  }

  private void reset() {
    status.beginReset();
    final long deadline = System.nanoTime() + options.resetWaitNanos();
    for (final QueueServer worker : workers) {
      if (!worker.awaitOutside(deadline)) {
        break;
      }
    }
    enter();
    leave();
  }

  /** Completes a reset that has begun, if no worker is inside any more. */
  private void finishReset() {
    if (!status.resetting()) {
      return;
    }
    for (final QueueServer worker : workers) {
      if (!worker.outside()) {
        return;
      }
    }
    defaults();
  }

  private void defaults() {
    for (int i = 0; i < queues.length; i++) {
      workers[i].deactivate();
      queues[i].reset();
    }
    features.reset();
    interrupts.reset();
    lineStale = true;
    doorbellsDue = false;
    queueSelect = 0;
    translated(type.translated());
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
    finishReset();
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
    if (doorbellsDue) {
      doorbellsDue = false;
      for (int i = 0; i < queues.length; i++) {
        if (type.mode(i) == QueueMode.DOORBELL) {
          workers[i].wake();
        }
      }
    }
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

  int queues() {
    return queues.length;
  }

  int queueSelect() {
    return queueSelect;
  }

  void queueSelect(final int queue) {
    queueSelect = queue;
  }

  /** The selected queue, or null when there is none of that number. */
  @Nullable QueueRegisters selected() {
    return queueSelect < queues.length ? queues[queueSelect] : null;
  }

  /**
   * Whether queues may have this size: in the layout that was negotiated, or in any that can be.
   * One set before FEATURES_OK is looked at again when its queue is enabled.
   */
  boolean legalSize(final int size) {
    return QueueLayouts.of(
            status.has(VirtioStatus.FEATURES_OK) ? features.accepted() : features.offered())
        .legalSize(size);
  }

  /** Enables the selected queue; its areas are checked now, and again at each use. */
  void queueEnable(final int value) {
    String error = null;
    int index = 0;
    final boolean changeable = enter();
    try {
      final QueueRegisters queue = selected();
      if (value != 1
          || !changeable
          || queue == null
          || queue.enabled()
          || status.has(VirtioStatus.NEEDS_RESET)
          || !status.has(VirtioStatus.FEATURES_OK)) {
        return;
      }
      index = queueSelect;
      try {
        enable(index, queue);
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

  private void enable(final int index, final QueueRegisters queue) throws QueueException {
    final BusSession bus = session;
    if (bus == null) {
      return;
    }
    final long accepted = features.accepted();
    final VirtQueue ring =
        QueueLayouts.of(accepted)
            .open(
                new QueueSetup(
                    queue.size(),
                    queue.desc(),
                    queue.driver(),
                    queue.device(),
                    accepted,
                    (accepted & VirtioFeatures.SWIOTLB) != 0
                        ? AddressMode.RESTRICTED
                        : AddressMode.BUS,
                    false));
    final long version = bus.begin();
    if (version < 0) {
      return; // revoked: there is no device any more
    }
    try {
      ring.enter(bus, version);
    } finally {
      bus.end();
    }
    final boolean events = type.mode(index) == QueueMode.EVENTS;
    workers[index].activate(ring, events ? NO_HANDLER : type.open(index, accepted));
    queue.enable();
    if (status.has(VirtioStatus.DRIVER_OK)) {
      startWorker(index);
    }
  }

  /**
   * The doorbell: latches and wakes, or serves; ignored while the queue is not served (section
   * 4.1.5.2).
   */
  void notify(final int queue) {
    if (status.serving()) {
      workers[queue].kick();
    }
  }

  /** The sender of an event queue, or null for a queue that is none. */
  @Nullable EventSender events(final int queue) {
    final QueueServer[] now = workers;
    return queue >= 0 && queue < now.length && now[queue] instanceof EventSender sender
        ? sender
        : null;
  }

  /** Serves what doorbells have latched, on this thread; for tests, without threads. */
  void processNow() {
    final PciAttachment to = attachment;
    if (to != null) {
      try (BusSession bus = to.port().open()) {
        for (final QueueServer worker : workers) {
          worker.processNow(bus);
        }
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
    final List<QueueInfo> infos = new ArrayList<>();
    lock.lock();
    try {
      for (int i = 0; i < queues.length; i++) {
        final QueueRegisters queue = queues[i];
        final QueueServer worker = workers[i];
        infos.add(
            new QueueInfo(
                i,
                queue.size(),
                queue.enabled(),
                interrupts.queueVector(i),
                hex(queue.desc()),
                hex(queue.driver()),
                hex(queue.device()),
                worker.popped(),
                worker.returned(),
                worker.kicks(),
                worker.interrupts()));
      }
    } finally {
      leave();
    }
    return infos;
  }

  private static String hex(final long address) {
    return "0x" + Long.toHexString(address);
  }
}
