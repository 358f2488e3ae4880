package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.virtio.BlkDescriptor;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request queue of a disk: what waits, what is in flight, and the loop of the worker that owns
 * both.
 *
 * <p><b>Who touches what.</b> Submitters only push to {@link #inbox} and wake. Everything else
 * belongs to the owner, the worker with the current {@link Tenure}; how ownership passes when a
 * worker hangs is told there. The work thread of the kernel steers with {@link Command}s: it writes
 * one, wakes, and waits until the owner has acknowledged it; between the acknowledgement of HOLD or
 * DRAIN and the next command the owner touches neither ring nor device, and the work thread may.
 *
 * <p><b>Sleeping.</b> Before it parks the owner sets {@link #parked}, asks the device for an
 * interrupt, and then looks once more at inbox, used ring and command. Whoever gives it work makes
 * the work visible first and reads {@link #parked} then. Both sides have a full fence in between,
 * so at least one of them sees the other and no wake-up is lost.
 *
 * <p><b>A request's way.</b> inbox → waiting list → (begun as a {@link Transfer}, one part after
 * another mapped and put into the ring) → used ring → unmapped → completed. A part that finds no
 * mapping leaves its transfer at the front where it was, and is tried again when a completion has
 * freed something, or after 1 ms, growing to 10 ms. The size of a part is asked anew every time, so
 * a request goes on in smaller parts after a swap to a strategy that maps less. A request whose
 * deadline passes while it waits ends as TIMEOUT; if the device has a part of it, the device is
 * reset first, and what else the device had ends as GONE.
 */
final class BlkQueue {
  private static final Logger LOG = LoggerFactory.getLogger(BlkQueue.class);
  private static final int PUBLISH_BATCH = 16;
  private static final int ALWAYS_MAPPABLE = 4096;
  private static final int LARGEST_PART = 1 << 20;
  private static final long TICK_NS = 20_000_000;
  private static final long WATCH_NS = 100_000_000;

  /** What the owner shall do. */
  enum Kind {
    /** Work. */
    RUN,
    /** Touch nothing until the next command. */
    HOLD,
    /** End what the device had, which was reset; then touch nothing until the next command. */
    DRAIN,
    /** End everything and stop. */
    EXIT
  }

  /** An order to the owner, told apart by identity. */
  static final class Command {
    final Kind kind;
    final BlockStatus endAs;

    Command(final Kind kind, final BlockStatus endAs) {
      this.kind = kind;
      this.endAs = endAs;
    }
  }

  /** What a queue needs from its device. */
  interface Owner {
    /** The device broke a rule or does not answer: it must be reset. Any thread; does not block. */
    void broken(String reason, BlockStatus endAs);
  }

  final RequestInbox inbox = new RequestInbox();
  final AtomicInteger hung = new AtomicInteger();
  private final BlkRing ring;
  private final DmaDevice dma;
  private final DiskStatistics statistics;
  private final BlkTunables tunables;
  private final KernelClock clock;
  private final Owner device;
  private final String name;

  private volatile BlkWorker worker;
  private volatile boolean parked;
  private volatile Command command = new Command(Kind.HOLD, BlockStatus.GONE);
  private volatile @Nullable Command acknowledged;
  private volatile boolean leakMappings;
  private volatile long completed;

  // The owner's.
  private final WaitingList waiting = new WaitingList();
  private final MapRetry retry = new MapRetry();
  private DiskLimits limits = DiskLimits.NONE;
  private Transfer[] transfers = new Transfer[0];
  private int freeTransfers;
  private @Nullable Transfer current;
  private long lastTickNs;
  private boolean broken;
  private long completions;

  BlkQueue(
      final String name,
      final BlkRing ring,
      final DmaDevice dma,
      final DiskStatistics statistics,
      final BlkTunables tunables,
      final KernelClock clock,
      final Owner device) {
    this.name = name;
    this.ring = ring;
    this.dma = dma;
    this.statistics = statistics;
    this.tunables = tunables;
    this.clock = clock;
    this.device = device;
    this.worker = new BlkWorker(this, new Tenure(dma), null);
  }

  String name() {
    return name;
  }

  BlkRing ring() {
    return ring;
  }

  /** Requests completed by the device so far: its progress. */
  long completed() {
    return completed;
  }

  /** Starts the first worker, which holds until it is told to run. */
  void start() {
    worker.start();
  }

  /** Hands over a request; false when the queue has ended. Any thread. */
  boolean submit(final BlockRequest request) {
    if (!inbox.push(request)) { // the push is a full fence
      return false;
    }
    if (parked) {
      worker.unpark();
    }
    return true;
  }

  /** Wakes the owner if it sleeps: the queue's interrupt. Any thread. */
  void wake() {
    VarHandle.fullFence();
    if (parked) {
      worker.unpark();
    }
  }

  /** For the supervisor. */
  BlkWorker worker() {
    return worker;
  }

  // The work thread's side.

  /** Limits that the device named; while the owner holds. */
  void limits(final DiskLimits of) {
    limits = of;
  }

  /** Makes ring and slots as new; while the owner holds, after the device was reset. */
  void prepare(final boolean indirect) {
    ring.prepare(indirect);
    final int count = ring.slots().length + 1; // one may be begun with all slots taken
    if (transfers.length < count) {
      // begun ones are known by their slots or as `current`: only free ones are in the array
      transfers = new Transfer[count];
      freeTransfers = 0;
      for (int i = current == null ? 0 : 1; i < count; i++) {
        transfers[freeTransfers++] = new Transfer();
      }
    }
    broken = false;
    retry.clear();
  }

  /** Gives an order; {@link #done} tells when it is carried out. */
  void order(final Kind kind, final BlockStatus endAs) {
    command = new Command(kind, endAs);
    wake();
  }

  boolean done() {
    return acknowledged == command;
  }

  /** From now on mappings are left alone: unmapping them hangs. */
  void leakMappings() {
    leakMappings = true;
  }

  /** A new worker takes the place of one whose tenure was taken. */
  void succeed(final BlkWorker old) {
    final BlkWorker successor = new BlkWorker(this, new Tenure(dma), old.tenure());
    parked = false;
    worker = successor;
    successor.start();
  }

  // The owner's side.

  /** The owner's loop; returns when the queue has ended. */
  void run(final Tenure tenure, final @Nullable Tenure predecessor)
      throws OwnershipLostException {
    if (predecessor != null) {
      settle(predecessor);
    }
    while (true) {
      final Command order = command;
      if (order != acknowledged && obey(order, tenure)) {
        return;
      }
      if (order.kind != Kind.RUN) {
        park(0);
        continue;
      }
      boolean progress = collect();
      final long now = clock.nanoTime();
      if (now - lastTickNs >= TICK_NS) {
        // before anything is mapped: a successor that would hang again finds what is overdue first
        lastTickNs = now;
        checkDeadlines(now);
      }
      progress |= reap(tenure);
      progress |= submitWaiting(tenure);
      if (!progress) {
        idle(now);
      }
    }
  }

  private void settle(final Tenure predecessor) {
    final Slot slot = predecessor.slot();
    if (slot != null && predecessor.hand() == Tenure.Hand.MAP) {
      final Transfer transfer = slot.transfer;
      if (transfer != null) {
        requeued(transfer.current());
      }
      ring.release(slot);
    } else if (slot != null && predecessor.hand() == Tenure.Hand.UNMAP) {
      finish(slot);
    }
  }

  /** Carries an order out; true when it was to end. */
  private boolean obey(final Command order, final Tenure tenure) throws OwnershipLostException {
    if (order.kind == Kind.DRAIN || order.kind == Kind.EXIT) {
      drain(order.endAs, tenure);
    }
    if (order.kind == Kind.EXIT) {
      waiting.append(inbox.close());
      endWaiting(order.endAs);
    }
    acknowledged = order;
    return order.kind == Kind.EXIT;
  }

  private boolean collect() {
    final BlockRequest first = inbox.drain();
    waiting.append(first);
    return first != null;
  }

  private boolean submitWaiting(final Tenure tenure) throws OwnershipLostException {
    if (broken || !retry.due(clock)) {
      return false;
    }
    retry.clear();
    boolean progress = false;
    int batch = 0;
    while (!retry.stalled()) {
      Transfer transfer = current;
      if (transfer != null && transfer.status != BlockStatus.OK) {
        current = null; // a part has failed: its last outstanding part completes it
        continue;
      }
      if (transfer == null) {
        if (ring.full()) {
          break;
        }
        final BlockRequest request = waiting.next();
        if (request == null) {
          break;
        }
        progress = true;
        transfer = transfers[--freeTransfers];
        transfer.begin(request, request.op == BlockOp.FLUSH ? 0 : request.length);
        current = transfer;
        if (endsHere(transfer)) {
          continue;
        }
      }
      if (ring.full()) {
        break;
      }
      if (submitPart(transfer, tenure)) {
        progress = true;
        if (++batch == PUBLISH_BATCH) {
          ring.queue().publish();
          batch = 0;
        }
      }
    }
    if (ring.queue().unpublished()) {
      ring.queue().publish();
    }
    return progress;
  }

  /** Ends a request that the device needs not see. */
  private boolean endsHere(final Transfer transfer) {
    final BlockOp op = transfer.current().op;
    if (op == BlockOp.FLUSH && !limits.flush()) {
      complete(transfer); // without the feature the device has no volatile cache
      return true;
    }
    if (op == BlockOp.WRITE && limits.readOnly()) {
      transfer.failed(BlockStatus.IO_ERROR);
      complete(transfer);
      return true;
    }
    return false;
  }

  /** Maps the next part of a transfer and puts it into the ring; false when that must wait. */
  private boolean submitPart(final Transfer transfer, final Tenure tenure)
      throws OwnershipLostException {
    final BlockRequest request = transfer.current();
    final int bytes = part(transfer, tenure);
    final Slot slot = ring.acquire();
    slot.transfer = transfer;
    slot.bytes = bytes;
    if (bytes > 0) {
      slot.direction =
          request.op == BlockOp.READ ? DmaDirection.FROM_DEVICE : DmaDirection.TO_DEVICE;
      final long bus =
          tenure.map(slot, request.buffer + transfer.cursor, bytes, slot.direction);
      if (bus == DmaDevice.MAPPING_ERROR) {
        ring.release(slot);
        notMapped(transfer, tenure.faulted());
        return false;
      }
      slot.bus = bus;
      retry.succeeded();
    }
    final long sector = request.sector + transfer.cursor / BlkDescriptor.SECTOR;
    ring.add(slot, type(request.op), sector);
    transfer.cursor += bytes;
    transfer.outstanding++;
    if (transfer.cursor == transfer.length) {
      current = null;
    }
    return true;
  }

  private int part(final Transfer transfer, final Tenure tenure) throws OwnershipLostException {
    final int left = transfer.length - transfer.cursor;
    int most = Math.min(left, Math.min(LARGEST_PART, limits.segmentBytes()));
    if (most > ALWAYS_MAPPABLE) {
      final long mappable = tenure.maxMappingSize() & -BlkDescriptor.SECTOR;
      // at least a sector: where not even that can be mapped, map itself says so
      most = (int) Math.min(most, Math.max(mappable, BlkDescriptor.SECTOR));
    }
    return most;
  }

  private static int type(final BlockOp op) {
    return switch (op) {
      case READ -> BlkDescriptor.T_IN;
      case WRITE -> BlkDescriptor.T_OUT;
      case FLUSH -> BlkDescriptor.T_FLUSH;
    };
  }

  private void notMapped(final Transfer transfer, final boolean wrong) {
    if (wrong) {
      transfer.failed(BlockStatus.IO_ERROR);
      if (transfer.outstanding == 0) {
        complete(transfer);
      }
      return;
    }
    requeued(transfer.current());
    retry.failed(clock.nanoTime());
  }

  private void requeued(final BlockRequest request) {
    request.requeues++;
    statistics.requeues.increment();
  }

  private boolean reap(final Tenure tenure) throws OwnershipLostException {
    if (broken) {
      return false;
    }
    boolean progress = false;
    Slot slot = ring.reap();
    while (slot != null) {
      progress = true;
      completions++;
      unmapAndFinish(slot, tenure);
      slot = ring.reap();
    }
    if (progress) {
      completed = completions;
    }
    final String violation = ring.violation();
    if (violation != null) {
      breakDown(violation, BlockStatus.IO_ERROR);
    }
    return progress;
  }

  private void breakDown(final String reason, final BlockStatus endAs) {
    broken = true; // until the device was reset
    device.broken(name + ": " + reason, endAs);
  }

  private void unmapAndFinish(final Slot slot, final Tenure tenure)
      throws OwnershipLostException {
    if (slot.bus != DmaDevice.MAPPING_ERROR && !leakMappings && !tenure.unmap(slot)) {
      slot.result = BlockStatus.IO_ERROR; // a read's bytes may not have arrived
    }
    finish(slot);
  }

  private void finish(final Slot slot) {
    final Transfer transfer = slot.transfer;
    final BlockStatus result = slot.result;
    ring.release(slot);
    retry.freed();
    if (transfer == null) {
      return;
    }
    transfer.outstanding--;
    if (result != BlockStatus.OK) {
      transfer.failed(result);
    }
    final boolean allBegun =
        transfer.cursor == transfer.length || transfer.status != BlockStatus.OK;
    if (transfer.outstanding == 0 && allBegun) {
      complete(transfer);
    }
  }

  private void complete(final Transfer transfer) {
    final BlockRequest request = transfer.current();
    final BlockStatus status = transfer.status;
    if (current == transfer) {
      current = null;
    }
    transfer.request = null;
    transfers[freeTransfers++] = transfer;
    complete(request, status);
  }

  private void complete(final BlockRequest request, final BlockStatus status) {
    statistics.ended(request.op, request.length, status);
    try {
      request.completion.completed(request, status);
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("{}: the completion of a request failed", name, e);
    }
  }

  /** Ends what the device had; it has been reset, or is gone. */
  private void drain(final BlockStatus endAs, final Tenure tenure)
      throws OwnershipLostException {
    final long now = clock.nanoTime();
    for (final Slot slot : ring.slots()) {
      final Transfer transfer = slot.transfer;
      if (transfer == null || !slot.inDevice) {
        continue;
      }
      slot.inDevice = false;
      slot.result = expired(transfer.current(), now) ? BlockStatus.TIMEOUT : endAs;
      unmapAndFinish(slot, tenure);
    }
  }

  private void endWaiting(final BlockStatus endAs) {
    final Transfer begun = current;
    if (begun != null) {
      begun.failed(endAs);
      complete(begun); // drained: no part of it is outstanding
    }
    BlockRequest request = waiting.next();
    while (request != null) {
      complete(request, endAs);
      request = waiting.next();
    }
  }

  private boolean expired(final BlockRequest request, final long now) {
    return now - request.submittedNs > tunables.requestTimeoutNs();
  }

  private void checkDeadlines(final long now) {
    if (!broken && !ring.idle()) {
      for (final Slot slot : ring.slots()) {
        final Transfer transfer = slot.transfer;
        if (transfer != null && slot.inDevice && expired(transfer.current(), now)) {
          breakDown("request timed out, resetting the device", BlockStatus.GONE);
          break;
        }
      }
    }
    final Transfer begun = current;
    if (begun != null && begun.outstanding == 0 && expired(begun.current(), now)) {
      begun.failed(BlockStatus.TIMEOUT);
      complete(begun);
    }
    BlockRequest first = waiting.first();
    while (first != null && expired(first, now)) { // the oldest is in front
      waiting.next();
      complete(first, BlockStatus.TIMEOUT);
      first = waiting.first();
    }
  }

  private void idle(final long now) {
    final long spin = tunables.spinNs();
    while (clock.nanoTime() - now < spin) {
      if (hasWork()) {
        return;
      }
      Thread.onSpinWait();
    }
    long wait = 0;
    if (current != null || waiting.first() != null || !ring.idle()) {
      wait = WATCH_NS; // deadlines
      if (retry.stalled()) {
        wait = Math.clamp(retry.atNs() - clock.nanoTime(), 1, WATCH_NS);
      }
    }
    park(wait);
  }

  private boolean hasWork() {
    return !inbox.isEmpty() || command != acknowledged || (!broken && ring.queue().poll() != 0);
  }

  /** Sleeps until woken, or for a time unless it is 0. */
  private void park(final long nanos) {
    final boolean running = command.kind == Kind.RUN && !broken;
    parked = true;
    VarHandle.fullFence();
    final boolean usedMeanwhile = running && ring.queue().enableInterrupts();
    final boolean submitted = command.kind == Kind.RUN && !inbox.isEmpty();
    if (!usedMeanwhile && !submitted && command == acknowledged) {
      if (nanos == 0) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, nanos);
      }
    }
    parked = false;
    if (running) {
      ring.queue().disableInterrupts();
    }
  }
}
