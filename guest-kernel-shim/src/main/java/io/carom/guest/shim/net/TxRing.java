package io.carom.guest.shim.net;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.guest.shim.virtio.BufferList;
import io.carom.guest.shim.virtio.VirtQueue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A transmit queue. Any thread sends: whoever has the lock owns the queue. A packet is copied into
 * a buffer of guest memory, and is mapped as long as the device has it. One that finds no mapping
 * or no room in the ring keeps its buffer and its place, and is tried again by the pair's thread; a
 * sender that finds no buffer waits, so that a flow is slowed down rather than cut.
 */
final class TxRing {
  private static final int NONE = -1;

  private final VirtQueue queue;
  private final DmaDevice dma;
  private final PacketMemory memory;
  private final NetStatistics statistics;
  private final int attributes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition room = lock.newCondition();
  private final BufferList buffers = new BufferList(1);
  private final Backoff backoff = new Backoff();

  // Guarded by the lock.
  private final long[] mapped;
  private final int[] lengths;
  private final int[] free;
  private final int[] waiting;
  private int freeCount;
  private int waitingFirst;
  private int waitingCount;
  private boolean open;
  private long progressNs;

  TxRing(
      final VirtQueue queue,
      final DmaDevice dma,
      final PacketMemory memory,
      final NetStatistics statistics) {
    this.queue = queue;
    this.dma = dma;
    this.memory = memory;
    this.statistics = statistics;
    attributes = DmaAttributes.queue(queue.number());
    mapped = new long[memory.count()];
    lengths = new int[memory.count()];
    free = new int[memory.count()];
    waiting = new int[memory.count()];
    forget();
  }

  private void forget() {
    for (int i = 0; i < free.length; i++) {
      free[i] = i;
      mapped[i] = DmaDevice.MAPPING_ERROR;
    }
    freeCount = free.length;
    waitingCount = 0;
  }

  /** Takes packets from now on; the queue is as new. */
  void open(final long nowNs) {
    lock.lock();
    try {
      open = true;
      progressNs = nowNs;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes no more packets, and is touched by no thread afterwards.
   *
   * @return false when a sender hangs in the DMA API
   */
  boolean close(final long waitNs) {
    try {
      if (!lock.tryLock(waitNs, TimeUnit.NANOSECONDS)) {
        return false;
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
    try {
      open = false;
      room.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** Unmaps what the device had, which was reset, and forgets what waited; closed only. */
  void drop() {
    for (int i = 0; i < mapped.length; i++) {
      if (mapped[i] != DmaDevice.MAPPING_ERROR) {
        dma.unmap(mapped[i], lengths[i], DmaDirection.TO_DEVICE, attributes);
        statistics.txDropped.increment();
      }
    }
    statistics.txDropped.add(waitingCount);
    forget();
    backoff.succeeded();
  }

  /**
   * Sends a packet.
   *
   * @param waitNs how long to wait for a buffer
   * @return false when it was dropped
   */
  boolean send(final Packet packet, final long waitNs, final long nowNs) {
    lock.lock();
    try {
      final int slot = acquire(waitNs);
      if (slot == NONE) {
        statistics.txDropped.increment();
        return false;
      }
      lengths[slot] = Packet.FRAME + packet.length;
      MemorySegment.copy(
          packet.bytes, 0, memory.segment(slot), ValueLayout.JAVA_BYTE, 0, lengths[slot]);
      waiting[(waitingFirst + waitingCount) % waiting.length] = slot;
      waitingCount++;
      submit(nowNs);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private int acquire(final long waitNs) {
    long left = waitNs;
    if (freeCount == 0 && open) {
      reap();
    }
    try {
      while (freeCount == 0 && open) {
        if (left <= 0) {
          return NONE;
        }
        left = room.awaitNanos(left);
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
      return NONE;
    }
    return open ? free[--freeCount] : NONE;
  }

  /** What the pair's thread does: takes back what was sent, and submits what waits. */
  boolean work(final long nowNs) {
    lock.lock();
    try {
      if (!open) {
        return false;
      }
      final boolean progress = reap();
      if (progress || queue.inFlight() == 0) {
        progressNs = nowNs;
      }
      if (backoff.due(nowNs)) {
        submit(nowNs);
      }
      return progress;
    } finally {
      lock.unlock();
    }
  }

  private boolean reap() {
    boolean progress = false;
    for (long taken = queue.take(); taken != VirtQueue.NONE; taken = queue.take()) {
      final int slot = VirtQueue.token(taken); // one of ours: the queue believes no other
      dma.unmap(mapped[slot], lengths[slot], DmaDirection.TO_DEVICE, attributes);
      mapped[slot] = DmaDevice.MAPPING_ERROR;
      statistics.txPackets.increment();
      statistics.txBytes.add(lengths[slot] - Packet.FRAME);
      free[freeCount++] = slot;
      progress = true;
    }
    if (progress) {
      backoff.freed();
      room.signalAll();
    }
    return progress;
  }

  private void submit(final long nowNs) {
    while (waitingCount > 0 && queue.violation() == null) {
      final int slot = waiting[waitingFirst];
      final long bus =
          dma.map(memory.address(slot), lengths[slot], DmaDirection.TO_DEVICE, attributes);
      if (dma.mappingError(bus)) {
        statistics.mapFailures.increment();
        backoff.failed(nowNs);
        break;
      }
      backoff.succeeded();
      buffers.clear();
      buffers.readable(bus, lengths[slot]);
      if (!queue.add(buffers, slot)) {
        dma.unmap(bus, lengths[slot], DmaDirection.TO_DEVICE, attributes);
        break; // a completion makes room
      }
      mapped[slot] = bus;
      waitingFirst = (waitingFirst + 1) % waiting.length;
      waitingCount--;
    }
    if (queue.unpublished()) {
      queue.publish();
    }
  }

  /**
   * Prepares for the thread's sleep: asks for an interrupt, also for what is sent meanwhile.
   *
   * @return whether there is something to do after all
   */
  boolean arm() {
    lock.lock();
    try {
      return open && queue.enableInterrupts();
    } finally {
      lock.unlock();
    }
  }

  /** The thread is awake. */
  void disarm() {
    lock.lock();
    try {
      if (open) {
        queue.disableInterrupts();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether something waits for a mapping. */
  boolean stalled() {
    lock.lock();
    try {
      return open && backoff.waiting();
    } finally {
      lock.unlock();
    }
  }

  /** Why the device must be reset, or null. */
  @Nullable String violation(final long nowNs, final long timeoutNs) {
    lock.lock();
    try {
      final String violation = queue.violation();
      if (open && violation == null && queue.inFlight() > 0 && nowNs - progressNs > timeoutNs) {
        return "transmit queue " + queue.number() + " timed out";
      }
      return violation;
    } finally {
      lock.unlock();
    }
  }
}
