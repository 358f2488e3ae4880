package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockStatus;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One job: keeps its slots in flight until it is done.
 *
 * <p>Protocol. A completion stamps the time, pushes its slot on a stack and returns. Whoever holds
 * the job's lock takes the stack, checks blocks, and submits the slots again; all plain fields here
 * belong to the holder of the lock, which nobody waits for. In a verified job only the job's own
 * thread takes it, so that checksums do not keep the driver's workers. In an unverified job with
 * {@code inline}, the worker that pushed takes it if it is free, which saves the change of threads;
 * a worker that finds it taken may leave, because the holder looks at the stack again after
 * unlocking. After some rounds it hands over to the job's thread, so no worker is kept for long,
 * and a device that completes within {@code submit} only pushes: there is no recursion.
 *
 * <p>The job's thread also keeps the deadline. It loses slots only under the lock: a slot in flight
 * may end meanwhile, but cannot be submitted again between the look at its start and the
 * compare-and-set. A job whose lock is held forever, by a thread that hangs in {@code submit}, is
 * given up by the run with {@link #disown}.
 */
final class JobRunner implements Slot.Owner, Runnable {
  private static final long SCAN_NS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long PARK_NS = TimeUnit.MILLISECONDS.toNanos(20);
  private static final long STARVED_PARK_NS = TimeUnit.MICROSECONDS.toNanos(100);
  private static final int BORROWED_ROUNDS = 8;

  private final BlockDevice disk;
  private final JobSpec spec;
  private final DiskLedger ledger;
  private final PauseMeter pauses;
  private final LongSupplier clock;
  private final long timeoutNs;
  private final boolean inline;
  private final SlotBuffers buffers;
  private final Slot[] slots;
  private final JobStats stats = new JobStats();
  private final BlockPicker picker;
  private final BlockVerifier verifier;
  private final EndedStack ended = new EndedStack();
  private final AtomicBoolean lock = new AtomicBoolean();
  private final AtomicBoolean parked = new AtomicBoolean();
  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread thread;

  private volatile boolean stopping;
  private volatile boolean hurry;
  private volatile boolean disowned;
  private volatile long lastWorkNs;
  private volatile @Nullable RuntimeException failure;
  private boolean buffersGone;

  private @Nullable Slot resting;
  private int inFlight;
  private int usable;
  private long endNs;
  private long lastSubmitNs;
  private long mixState;

  /**
   * What jobs of a run share.
   *
   * @param reachable whether buffers shall lie where the disk's device reaches them
   */
  record Setting(
      BlockDevice disk,
      DiskLedger ledger,
      PauseMeter pauses,
      SlotBuffers buffers,
      LongSupplier clock,
      long timeoutNs,
      boolean inline,
      boolean reachable) {}

  /**
   * A job that is not started.
   *
   * @throws IllegalArgumentException when the guest has too little memory for its buffers
   */
  @SuppressWarnings("this-escape") // slots and thread see the job only after start()
  JobRunner(final Setting setting, final JobSpec spec) {
    this.disk = setting.disk();
    this.spec = spec;
    this.ledger = setting.ledger();
    this.pauses = setting.pauses();
    this.clock = setting.clock();
    this.timeoutNs = setting.timeoutNs();
    this.inline = setting.inline() && !spec.verify();
    this.buffers = setting.buffers();
    this.picker = new BlockPicker(spec, ledger);
    this.verifier = new BlockVerifier(disk.name(), spec, ledger, stats);
    this.mixState = Mix.mix(spec.seed());
    this.slots =
        buffers.allocate(
            this,
            spec.iodepth(),
            spec.blockSectors() << SectorDescriptor.SECTOR_SHIFT,
            setting.reachable() ? disk : null);
    this.usable = slots.length;
    for (final Slot slot : slots) {
      if (!spec.verify() && spec.readPercent() < 100) {
        SlotBuffers.scramble(slot.memory, mixState + slot.address);
      }
      rest(slot);
    }
    this.thread = Thread.ofPlatform().daemon().name(spec.name()).unstarted(this);
  }

  void start() {
    final long now = clock.getAsLong();
    lastWorkNs = now;
    lastSubmitNs = now;
    endNs = now + Math.min(spec.runtimeNs(), Long.MAX_VALUE / 2);
    thread.start();
  }

  JobStats stats() {
    return stats;
  }

  /** Buffers that the device reaches without a copy. */
  long reachableBuffers() {
    return Arrays.stream(slots).filter(slot -> slot.reachable != null).count();
  }

  /** All its buffers. */
  long buffers() {
    return slots.length;
  }

  /** Submits nothing new. */
  void stop() {
    stopping = true;
    wake();
  }

  /** Stops, and counts as lost what does not end at once. */
  void stopNow() {
    hurry = true;
    stop();
  }

  /** Waits for the end. */
  boolean await(final long nanos) throws InterruptedException {
    return finished.await(nanos, TimeUnit.NANOSECONDS);
  }

  /** Why it ended early, or null. */
  @Nullable RuntimeException failure() {
    return failure;
  }

  /** When somebody last held the lock. */
  long lastWorkNs() {
    return lastWorkNs;
  }

  /**
   * Ends a job whose lock is held by a thread that hangs. Its requests are lost; its buffers are
   * given back when that thread has returned, or when their requests have ended.
   */
  void disown() {
    disowned = true;
    stopping = true;
    for (final Slot slot : slots) {
      if (slot.inFlight()) {
        final boolean lost = lose(slot);
        assert lost || !slot.inFlight() : "a slot in flight ends or is lost";
      }
    }
    finished.countDown();
  }

  /** Gives the buffers back, of a job that has ended; lost ones follow when they end. */
  void free() {
    if (disowned) {
      tryWork(); // unless the thread that hangs will
      return;
    }
    for (final Slot slot : slots) {
      if (!slot.lost()) {
        buffers.free(slot, disk);
      }
    }
  }

  /**
   * Gives back the buffers of a job that was disowned, under the lock: whoever touches a buffer of
   * a request that is not in flight holds it.
   */
  private void freeDisowned() {
    if (buffersGone) {
      return;
    }
    buffersGone = true;
    for (final Slot slot : slots) {
      // the thread that hung may have submitted one more before it saw that it is disowned
      if (slot.inFlight() && lose(slot)) {
        continue; // its end gives the buffer back, as of all lost ones
      }
      if (!slot.lost()) {
        buffers.freeLate(slot, disk);
      }
    }
  }

  // ---- completions, on workers of the driver

  @Override
  public long nanoTime() {
    return clock.getAsLong();
  }

  @Override
  public void ended(final Slot slot) {
    ended.push(slot);
    if (!inline && !disowned) {
      wake();
      return;
    }
    for (int round = 0; round < BORROWED_ROUNDS; round++) {
      if (ended.isEmpty() || !tryWork()) {
        return;
      }
    }
    wake();
  }

  @Override
  public void late(final Slot slot) {
    if (slot.claimed) {
      ledger.recover(slot.sector, slot.sectors);
    }
    buffers.freeLate(slot, disk);
  }

  // ---- the job's thread

  @Override
  public void run() {
    long scanned = clock.getAsLong();
    while (finished.getCount() != 0) {
      final boolean worked = tryWork();
      final long now = clock.getAsLong();
      if ((now - scanned >= SCAN_NS || hurry) && lock.compareAndSet(false, true)) {
        scanned = now;
        try {
          loseExpired(now);
          failStarved(now);
          checkFinished();
        } finally {
          lock.set(false);
        }
      }
      if (ended.isEmpty() || !worked) {
        park();
      }
    }
    if (disowned) {
      tryWork(); // gives back the claims of what ended while this thread hung
    }
  }

  private void park() {
    parked.set(true);
    // a completion that pushed before this saw parked=false is seen here, and one after it wakes
    if (finished.getCount() != 0 && (ended.isEmpty() || lock.get())) {
      LockSupport.parkNanos(this, starved() ? STARVED_PARK_NS : PARK_NS);
    }
    parked.set(false);
  }

  /** A racy look: others hold all blocks that are left, and no end of our own will wake us. */
  private boolean starved() {
    return resting != null && inFlight == 0 && !stopping && !picker.exhausted();
  }

  private void wake() {
    if (parked.get() && parked.compareAndSet(true, false)) {
      LockSupport.unpark(thread);
    }
  }

  // ---- under the lock

  private boolean tryWork() {
    if (!lock.compareAndSet(false, true)) {
      return false;
    }
    try {
      work(); // of a disowned job: gives claims back, and touches no buffer
    } catch (final RuntimeException | Error e) {
      fail(new IllegalStateException(spec.name() + " failed: " + e, e));
      disown();
    } finally {
      if (disowned) {
        freeDisowned();
      }
      lock.set(false);
    }
    return true;
  }

  private void work() {
    lastWorkNs = clock.getAsLong();
    if (lastWorkNs - endNs >= 0) {
      stopping = true;
    }
    Slot slot = ended.takeAll();
    while (slot != null && !disowned) {
      final Slot following = slot.next;
      slot.next = null;
      inFlight--;
      settle(slot);
      slot = following;
    }
    releaseAll(slot);
    startResting();
    checkFinished();
  }

  /** What a disowned job has not settled: others may have its blocks. */
  private void releaseAll(final @Nullable Slot unsettled) {
    for (Slot slot = unsettled; slot != null; slot = slot.next) {
      picker.release(slot);
    }
  }

  private void settle(final Slot slot) {
    if (slot.status != BlockStatus.OK) {
      failed(slot);
      return;
    }
    if (slot.step != Slot.Step.REPAIR) {
      stats.completed(slot.endNs - slot.startNs);
      pauses.completed(slot.endNs, slot.startNs);
    }
    if (slot.endNs - endNs >= 0) {
      stopping = true;
    }
    if (needsRepair(slot)) {
      submit(slot);
      return;
    }
    picker.release(slot);
    next(slot);
  }

  /** Checks or acknowledges, and prepares the repair of what could not be verified. */
  private boolean needsRepair(final Slot slot) {
    if (slot.step != Slot.Step.READ) {
      verifier.acknowledged(slot);
      return slot.step == Slot.Step.REPAIR && verifier.prepareRepair(slot);
    }
    if (!spec.verify()) {
      return false;
    }
    final boolean unverifiable = verifier.check(slot);
    final String undescribed = verifier.undescribed();
    if (undescribed != null && failure == null) {
      fail(new IllegalArgumentException(undescribed));
    }
    return unverifiable && !stopping && verifier.prepareRepair(slot);
  }

  private void failed(final Slot slot) {
    stats.lost();
    picker.release(slot);
    if (!disk.live()) {
      stopping = true;
    }
    if (slot.status == BlockStatus.TIMEOUT) {
      usable--; // nobody knows what the device still does with its buffer: not used again
    } else {
      next(slot);
    }
  }

  private void next(final Slot slot) {
    if (stopping || !picker.pick(slot)) {
      rest(slot);
      return;
    }
    if (isRead()) {
      verifier.prepareRead(slot);
    } else if (spec.change() == BlockOp.DISCARD) {
      verifier.prepareTrim(slot);
    } else {
      verifier.prepareWrite(slot);
    }
    submit(slot);
  }

  private boolean isRead() {
    final int percent = spec.readPercent();
    if (percent == 0 || percent == 100) {
      return percent == 100;
    }
    mixState += Mix.STEP;
    return Long.remainderUnsigned(Mix.mix(mixState), 100) < percent;
  }

  private void rest(final Slot slot) {
    slot.next = resting;
    resting = slot;
  }

  private void startResting() {
    Slot slot = resting;
    resting = null;
    while (slot != null) {
      final Slot following = slot.next;
      slot.next = null;
      next(slot);
      slot = following;
    }
  }

  private void submit(final Slot slot) {
    if (disowned) {
      return;
    }
    inFlight++;
    lastSubmitNs = clock.getAsLong();
    slot.start(lastSubmitNs);
    try {
      disk.submit(slot.request);
    } catch (final RuntimeException e) {
      if (slot.tryEnd()) {
        inFlight--;
        stats.lost();
        picker.release(slot);
        fail(new IllegalStateException(disk.name() + " refused a request: " + e.getMessage(), e));
        rest(slot);
      }
    }
  }

  private void fail(final RuntimeException why) {
    failure = why;
    stopping = true;
  }

  private void loseExpired(final long now) {
    for (final Slot slot : slots) {
      if (slot.inFlight() && (hurry || now - slot.startNs >= timeoutNs) && lose(slot)) {
        inFlight--;
        usable--;
      }
    }
  }

  /** Claims of others are short: one that outlives the deadline belongs to a job that hangs. */
  private void failStarved(final long now) {
    if (starved() && now - lastSubmitNs >= timeoutNs) {
      fail(
          new IllegalStateException(
              disk.name() + ": a workload that hangs holds the blocks that are left to do"));
    }
  }

  /** Abandons the claim first: {@link #late} may run as soon as the slot is lost. */
  private boolean lose(final Slot slot) {
    final boolean claimed = slot.claimed;
    if (claimed) {
      ledger.abandon(slot.sector, slot.sectors);
    }
    if (slot.tryLose()) {
      stats.lost();
      return true;
    }
    if (claimed) {
      ledger.keep(slot.sector, slot.sectors);
    }
    return false;
  }

  private void checkFinished() {
    if (inFlight == 0 && (stopping || usable == 0 || picker.exhausted())) {
      finished.countDown();
      wake();
    }
  }
}
