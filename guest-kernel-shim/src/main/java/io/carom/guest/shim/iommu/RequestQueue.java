package io.carom.guest.shim.iommu;

import static io.carom.iommu.VirtioIommuDescriptor.ATTACH_SIZE;
import static io.carom.iommu.VirtioIommuDescriptor.DETACH_SIZE;
import static io.carom.iommu.VirtioIommuDescriptor.MAP_SIZE;
import static io.carom.iommu.VirtioIommuDescriptor.T_ATTACH;
import static io.carom.iommu.VirtioIommuDescriptor.T_DETACH;
import static io.carom.iommu.VirtioIommuDescriptor.T_MAP;
import static io.carom.iommu.VirtioIommuDescriptor.T_UNMAP;
import static io.carom.iommu.VirtioIommuDescriptor.UNMAP_SIZE;

import io.carom.guest.shim.block.KernelClock;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import io.carom.iommu.IommuStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The request queue and its one lock, which guards everything that the driver keeps, too.
 *
 * <p>Protocol. Between {@link #lock} and {@link #unlock} a thread puts requests into the ring,
 * {@link #sync}s, and reads the answers that it numbered. {@link #sync} kicks once, and waits until
 * <em>everything</em> in the ring is answered, with what others had queued before; a full ring is
 * synced and used on. The IOMMU serves the queue inside the doorbell write, so the answers are
 * normally there when that returns; else the waiter spins and then parks briefly. The lock is held
 * meanwhile, as in Linux: there is one device. A thread that wants the lock tries for a while
 * before it parks, so that one that comes again and again cannot keep it out.
 *
 * <p>A queued unmap has no answer that anybody waits for. Its failure goes to its owner's inbox,
 * and the owner is told after the lock was released.
 *
 * <p>Death. A device that lets a deadline pass, breaks a rule of the ring, asks for a reset or goes
 * is dead for good: what is in the ring is answered DEVERR, and so is every later request, without
 * one. The ring is not touched any more; its memory is given back after the device was reset.
 * {@link #kill} may be called by any thread at any time; the waiter notices.
 */
final class RequestQueue {
  /**
   * How long an answer may take: longer than the bus keeps the slot of a function whose model is
   * being replaced, and the models of it and of its transport one after the other.
   */
  static final long DEADLINE_NS = 20_000_000_000L;

  private static final int LOCK_SPINS = 4_000;
  private static final int WAIT_SPINS = 2_000;
  private static final int PARKS_PER_LOOK = 50;
  private static final long PARK_NS = 20_000L;

  private final VirtQueue queue;
  private final RequestBuffers buffers;
  private final BufferList chain = new BufferList(RequestBuffers.CHAIN);
  private final long granule;
  private final KernelClock clock;
  private final BooleanSupplier running;
  private final Consumer<String> onDeath;
  private final ReentrantLock lock = new ReentrantLock();
  private final IommuTally tally = new IommuTally();
  private final RequestSlot[] slots;
  private final RequestSlot[] free;
  private final List<FailureInbox> failing = new ArrayList<>();
  private int freeCount;
  private int[] answers = new int[1];
  private int firstFailure;
  private final AtomicBoolean dead = new AtomicBoolean();

  /** A domain, as its requests see it; called with the lock held. */
  interface Owner {
    /** The IOMMU has mapped so many pages more. */
    void pages(long change);

    /** Where failures of queued unmaps go. */
    FailureInbox failures();
  }

  RequestQueue(
      final VirtQueue queue,
      final RequestBuffers buffers,
      final long granule,
      final KernelClock clock,
      final BooleanSupplier running,
      final Consumer<String> onDeath) {
    this.queue = queue;
    this.buffers = buffers;
    this.granule = granule;
    this.clock = clock;
    this.running = running;
    this.onDeath = onDeath;
    final int count = queue.capacity(RequestBuffers.CHAIN);
    this.slots = new RequestSlot[count];
    this.free = new RequestSlot[count];
    for (int i = 0; i < count; i++) {
      slots[i] = new RequestSlot(i);
      free[count - 1 - i] = slots[i]; // slot 0 is taken first
    }
    this.freeCount = count;
  }

  void lock() {
    for (int spins = 0; spins < LOCK_SPINS; spins++) {
      if (lock.tryLock()) {
        return;
      }
      Thread.onSpinWait();
    }
    lock.lock();
  }

  /** Takes the lock if that is possible in time. */
  boolean lock(final long nanos) {
    try {
      return lock.tryLock(nanos, TimeUnit.NANOSECONDS);
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Releases the lock, and then tells owners what failed. */
  void unlock() {
    if (failing.isEmpty()) {
      lock.unlock();
      return;
    }
    final List<FailureInbox> due = List.copyOf(failing);
    failing.clear();
    lock.unlock();
    due.forEach(FailureInbox::offer);
  }

  /** Releases the lock and leaves what failed for the next who tells, or flushes. */
  void unlockQuietly() {
    lock.unlock();
  }

  /** The counts; with the lock. */
  IommuTally tally() {
    return tally;
  }

  /** Doorbell writes; with the lock. */
  long kicks() {
    return queue.kicks();
  }

  /** Whether the device answers, as far as is known. Any thread. */
  boolean alive() {
    return !dead.get();
  }

  /** Gives the device up. Any thread; the first reason counts. */
  void kill(final String reason) {
    if (dead.compareAndSet(false, true)) {
      onDeath.accept(reason);
    }
  }

  /** Makes room for so many answers, none given. */
  void begin(final int count) {
    if (answers.length < count) {
      answers = new int[Math.max(count, 2 * answers.length)];
    }
    Arrays.fill(answers, 0, count, IommuStatus.DEVERR); // of what is never asked, the device dead
    firstFailure = IommuStatus.OK;
  }

  /** An answer; after {@link #sync}. */
  int answer(final int number) {
    return answers[number];
  }

  /** The first answer since {@link #begin} that was not OK, or OK. */
  int failure() {
    return firstFailure;
  }

  /** Whether something is in the ring. */
  boolean busy() {
    return freeCount < slots.length;
  }

  void attach(final int answer, final int domain, final int endpoint) {
    final RequestSlot slot = take(answer, null, 0);
    if (slot != null) {
      tally.attaches++;
      buffers.attachment(slot, T_ATTACH, domain, endpoint);
      add(slot, ATTACH_SIZE);
    }
  }

  void detach(final int answer, final int domain, final int endpoint) {
    final RequestSlot slot = take(answer, null, 0);
    if (slot != null) {
      tally.detaches++;
      buffers.attachment(slot, T_DETACH, domain, endpoint);
      add(slot, DETACH_SIZE);
    }
  }

  void map(
      final int answer,
      final Owner owner,
      final int domain,
      final long iova,
      final long bytes,
      final long physical,
      final int flags) {
    final RequestSlot slot = take(answer, owner, bytes / granule);
    if (slot != null) {
      tally.maps++;
      buffers.range(slot, T_MAP, domain, iova, iova + bytes - 1);
      buffers.target(slot, physical, flags);
      add(slot, MAP_SIZE);
    }
  }

  /**
   * Puts an UNMAP into the ring.
   *
   * @param pages how many pages are mapped there
   */
  void unmap(
      final int answer,
      final Owner owner,
      final int domain,
      final long iova,
      final long last,
      final long pages) {
    final RequestSlot slot = take(answer, owner, -pages);
    if (slot != null) {
      tally.unmaps++;
      slot.iova = iova;
      slot.bytes = last - iova + 1;
      buffers.range(slot, T_UNMAP, domain, iova, last);
      add(slot, UNMAP_SIZE);
    } else if (answer == RequestSlot.QUEUED) {
      owner.failures().add(iova, last - iova + 1, IommuStatus.DEVERR);
      failing.add(owner.failures());
    }
  }

  /** Asks for an endpoint's properties; the ring has no other PROBE. */
  void probe(final int answer, final int endpoint) {
    final RequestSlot slot = take(answer, null, 0);
    if (slot != null) {
      tally.probes++;
      buffers.probe(slot, endpoint);
      buffers.describeProbe(slot, chain);
      add(slot);
    }
  }

  /** A copy of what the last PROBE brought. */
  byte[] properties() {
    return buffers.properties();
  }

  private @Nullable RequestSlot take(
      final int answer, final @Nullable Owner owner, final long pages) {
    if (freeCount == 0) {
      sync();
    }
    if (dead.get()) {
      if (answer != RequestSlot.QUEUED) {
        answered(answer, IommuStatus.DEVERR);
      }
      return null;
    }
    final RequestSlot slot = free[--freeCount];
    slot.answer = answer;
    slot.owner = owner;
    slot.pages = pages;
    return slot;
  }

  private void add(final RequestSlot slot, final int readable) {
    buffers.describe(slot, chain, readable);
    add(slot);
  }

  private void add(final RequestSlot slot) {
    slot.inDevice = true;
    if (!queue.add(chain, slot.index)) {
      throw new IllegalStateException("a free slot without room for its chain");
    }
  }

  /** Kicks, and waits until everything in the ring is answered. */
  void sync() {
    if (!dead.get() && queue.unpublished()) {
      queue.publish();
    }
    int idle = 0;
    long since = 0;
    while (busy() && !dead.get()) {
      if (reap()) {
        idle = 0;
        continue;
      }
      if (idle == 0) {
        since = clock.nanoTime();
      }
      idle++;
      if (idle < WAIT_SPINS) {
        Thread.onSpinWait();
      } else {
        await(idle, since);
      }
    }
    if (dead.get()) {
      abandon();
    }
  }

  private void await(final int idle, final long since) {
    LockSupport.parkNanos(PARK_NS);
    if (clock.nanoTime() - since > DEADLINE_NS) {
      kill("no answer within " + DEADLINE_NS / 1_000_000 + " ms");
    } else if (idle % PARKS_PER_LOOK == 0 && !running.getAsBoolean()) {
      kill("the device is gone or needs a reset");
    }
  }

  /** Takes what is answered; whether there was anything. */
  private boolean reap() {
    boolean any = false;
    long taken = queue.take();
    while (taken != VirtQueue.NONE) {
      any = true;
      final RequestSlot slot = slots[VirtQueue.token(taken)]; // a token given to the queue
      complete(slot, buffers.status(slot, VirtQueue.length(taken)));
      taken = queue.take();
    }
    final String violation = queue.violation();
    if (violation != null) {
      kill(violation);
    }
    return any;
  }

  private void complete(final RequestSlot slot, final int status) {
    slot.inDevice = false;
    free[freeCount++] = slot;
    final Owner owner = slot.owner;
    slot.owner = null;
    if (status != IommuStatus.OK) {
      tally.failed++;
    } else if (owner != null) {
      owner.pages(slot.pages);
    }
    if (slot.answer != RequestSlot.QUEUED) {
      answered(slot.answer, status);
    } else if (status != IommuStatus.OK && owner != null) {
      owner.failures().add(slot.iova, slot.bytes, status);
      failing.add(owner.failures());
    }
  }

  private void answered(final int number, final int status) {
    answers[number] = status;
    if (firstFailure == IommuStatus.OK) {
      firstFailure = status;
    }
  }

  /** Answers what a dead device never will. */
  private void abandon() {
    for (final RequestSlot slot : slots) {
      if (slot.inDevice) {
        complete(slot, IommuStatus.DEVERR);
      }
    }
  }

  /** Gives the memory back; after {@link #kill} and the device's reset, with the lock. */
  void free() {
    abandon();
    buffers.free();
  }
}
