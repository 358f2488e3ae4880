package io.carom.guest.shim.block;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.virtio.BlkDescriptor;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the owner of a queue does with requests.
 *
 * <p><b>A request's way.</b> waiting list → (begun as a {@link Transfer}, one part after another
 * mapped and put into the ring) → used ring → unmapped → completed. A part that finds no mapping
 * leaves its transfer at the front where it was, and is tried again as {@link MapRetry} says. The
 * size of a part is asked anew every time, so a request goes on in smaller parts after a swap to a
 * strategy that maps less. A request whose deadline passes while it waits ends as TIMEOUT; if the
 * device has a part of it, queue or device is reset first, and what else it had ends as GONE.
 *
 * <p>All of this is the owner's: see {@link BlkQueue} and {@link Tenure}. Any call into the DMA API
 * may end the caller's ownership; nothing here is touched after that.
 */
final class BlkEngine {
  private static final Logger LOG = LoggerFactory.getLogger(BlkEngine.class);
  private static final int PUBLISH_BATCH = 16;
  private static final int ALWAYS_MAPPABLE = 4096;
  private static final int LARGEST_PART = 1 << 20;

  private final String name;
  private final BlkRing ring;
  private final DiskStatistics statistics;
  private final WriteWatch watch;
  private final BlkTunables tunables;
  private final KernelClock clock;
  private final BiConsumer<String, BlockStatus> onBroken;
  private final WaitingList waiting = new WaitingList();
  private final MapRetry retry = new MapRetry();
  private final int queueAttribute;
  private DiskLimits limits = DiskLimits.NONE;
  private Transfer[] transfers = new Transfer[0];
  private int freeTransfers;
  private @Nullable Transfer current;
  private boolean hungMap;
  private boolean measureAll;
  private boolean broken;
  private long completions;
  private long restartedNs;
  private volatile long completed;
  private volatile boolean leakMappings;

  BlkEngine(
      final String name,
      final BlkRing ring,
      final DiskStatistics statistics,
      final WriteWatch watch,
      final BlkTunables tunables,
      final KernelClock clock,
      final BiConsumer<String, BlockStatus> onBroken) {
    this.name = name;
    this.ring = ring;
    this.statistics = statistics;
    this.watch = watch;
    this.tunables = tunables;
    this.clock = clock;
    this.onBroken = onBroken;
    this.restartedNs = clock.nanoTime();
    this.queueAttribute = DmaAttributes.queue(ring.queue().number());
  }

  /** Requests that the device has completed. Any thread. */
  long completed() {
    return completed;
  }

  /** From now on mappings are left alone: unmapping them hangs. Any thread. */
  void leakMappings() {
    leakMappings = true;
  }

  void limits(final DiskLimits of) {
    limits = of;
  }

  /** Deadlines begin anew: the device has rested until now. */
  void restartDeadlines() {
    restartedNs = clock.nanoTime();
  }

  WaitingList waiting() {
    return waiting;
  }

  MapRetry retry() {
    return retry;
  }

  /** Whether the device broke a rule and was not reset since. */
  boolean broken() {
    return broken;
  }

  /** Whether requests wait or are in flight. */
  boolean busy() {
    return current != null || waiting.first() != null || !ring.idle();
  }

  /** Makes ring and slots as new. */
  void prepare() {
    ring.prepare();
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

  void settle(final Tenure predecessor) {
    final Slot slot = predecessor.slot();
    if (slot != null && predecessor.hand() == Tenure.Hand.MAP) {
      final Transfer transfer = slot.transfer;
      if (transfer != null) {
        requeued(transfer.current());
      }
      hungMap = true;
      ring.release(slot);
    } else if (slot != null && predecessor.hand() == Tenure.Hand.UNMAP) {
      finish(slot);
    }
  }

  boolean submitWaiting(final Tenure tenure) throws OwnershipLostException {
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
    if ((op == BlockOp.WRITE || !op.transfers()) && op != BlockOp.FLUSH && limits.readOnly()) {
      transfer.failed(BlockStatus.IO_ERROR);
      complete(transfer);
      return true;
    }
    if (op != BlockOp.FLUSH && limits.most(op) == 0) {
      transfer.failed(BlockStatus.UNSUPPORTED);
      complete(transfer);
      return true;
    }
    return false;
  }

  /** Maps the next part of a transfer and puts it into the ring; false when that must wait. */
  private boolean submitPart(final Transfer transfer, final Tenure tenure)
      throws OwnershipLostException {
    final BlockRequest request = transfer.current();
    if (!request.op.transfers() && request.op != BlockOp.FLUSH) {
      submitRange(transfer);
      return true;
    }
    final int bytes = part(transfer, tenure);
    final int attributes = attributes();
    final Slot slot = ring.acquire();
    slot.transfer = transfer;
    slot.bytes = bytes;
    if (bytes > 0) {
      slot.direction =
          request.op == BlockOp.READ ? DmaDirection.FROM_DEVICE : DmaDirection.TO_DEVICE;
      final long bus =
          tenure.map(slot, request.buffer + transfer.cursor, bytes, slot.direction, attributes);
      if (bus == DmaDevice.MAPPING_ERROR) {
        ring.release(slot);
        notMapped(transfer, tenure.faulted());
        return false;
      }
      slot.bus = bus;
      hungMap = false;
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

  /** Puts the next range of a transfer into the ring: it has no data to be mapped. */
  private void submitRange(final Transfer transfer) {
    final BlockRequest request = transfer.current();
    final int bytes = Math.min(transfer.length - transfer.cursor, limits.most(request.op));
    final Slot slot = ring.acquire();
    slot.transfer = transfer;
    slot.bytes = 0;
    ring.addRange(
        slot, type(request.op), request.sector + transfer.cursor / BlkDescriptor.SECTOR, bytes);
    transfer.cursor += bytes;
    transfer.outstanding++;
    if (transfer.cursor == transfer.length) {
      current = null;
    }
  }

  /**
   * How the next part is mapped.
   *
   * <p>MAY_SLEEP: the thread that maps is the one that reaps. While the queue has mappings of its
   * own a wait for a throttled pool could be a wait for itself: nobody else unmaps them, and they
   * may be what fills the pool. So it may sleep only with nothing in flight; then whatever it waits
   * for is in the hands of others. With something in flight the part goes back to the queue, and
   * the next completion tries it again. Nor after a takeover, until a map has succeeded: a wait
   * that is longer than the takeover time would cost one worker after another.
   *
   * <p>NO_WARN: the first failure is said, the retries that follow by design are not.
   */
  private int attributes() {
    int attributes = queueAttribute;
    if (ring.idle() && !hungMap) {
      attributes |= DmaAttributes.MAY_SLEEP;
    }
    if (retry.failing()) {
      attributes |= DmaAttributes.NO_WARN;
    }
    return attributes;
  }

  private int part(final Transfer transfer, final Tenure tenure) throws OwnershipLostException {
    final int left = transfer.length - transfer.cursor;
    int most = Math.min(left, Math.min(LARGEST_PART, limits.segmentBytes()));
    // The answer may be another one by the time of the map, as after a swap: then that fails, and
    // the part is measured anew. Small parts are not, until a strategy turns up for which they are
    // not small.
    if (most > ALWAYS_MAPPABLE || retry.failing() || measureAll) {
      final long mappable = tenure.maxMappingSize() & -BlkDescriptor.SECTOR;
      measureAll = mappable < ALWAYS_MAPPABLE;
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
      case DISCARD -> BlkDescriptor.T_DISCARD;
      case WRITE_ZEROES -> BlkDescriptor.T_WRITE_ZEROES;
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

  boolean reap(final Tenure tenure) throws OwnershipLostException {
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
    onBroken.accept(name + ": " + reason, endAs);
  }

  private void unmapAndFinish(final Slot slot, final Tenure tenure) throws OwnershipLostException {
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
    if (request.op != BlockOp.READ && request.op != BlockOp.FLUSH) {
      watch.written(request);
    }
    try {
      request.completion.completed(request, status);
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("{}: the completion of a request failed", name, e);
    }
  }

  /** Ends what the device had; it has been reset, or is gone. */
  void drain(final BlockStatus endAs, final Tenure tenure) throws OwnershipLostException {
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

  void endWaiting(final BlockStatus endAs) {
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
    final long submitted = request.submittedNs;
    final long since = restartedNs - submitted > 0 ? restartedNs : submitted;
    return now - since > tunables.requestTimeoutNs();
  }

  void checkDeadlines(final long now) {
    if (!broken && !ring.idle()) {
      for (final Slot slot : ring.slots()) {
        final Transfer transfer = slot.transfer;
        if (transfer != null && slot.inDevice && expired(transfer.current(), now)) {
          breakDown("request timed out, resetting", BlockStatus.GONE);
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
}
