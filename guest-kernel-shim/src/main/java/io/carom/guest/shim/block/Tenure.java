package io.carom.guest.shim.block;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker's time as the owner of a queue, and the calls it makes into the DMA API, each of which
 * may hang in a strategy.
 *
 * <p><b>Takeover protocol.</b> Everything of a queue (ring, slots, waiting list) belongs to exactly
 * one tenure. The state word holds a call number and a phase: RUNNING, IN_CALL or TAKEN.
 *
 * <ol>
 *   <li>Before a DMA call the worker writes down what is in hand ({@link #hand}, {@link #slot}) and
 *       releases {@code (n, IN_CALL)}. During the call it touches nothing of the queue, on the way
 *       back it decides by one compare-and-set to {@code (n+1, RUNNING)} whether it is still the
 *       owner.
 *   <li>The supervisor, which has seen the same {@code (n, IN_CALL)} for too long, decides by a
 *       compare-and-set of exactly that word to TAKEN. One of the two succeeds, never both; the
 *       call number keeps it from hitting a later call than the one it watched.
 *   <li>If the supervisor wins, all that the old worker did to the queue happened before its
 *       release of IN_CALL, which happened before the compare-and-set, which happened before the
 *       start of the new worker. The new worker first settles what was in hand: a map goes back to
 *       where it was before (its slot is freed, its transfer has not moved on, so the request is
 *       mapped anew in its turn); an unmap is done (the core copies out before it calls a strategy,
 *       so the data is where it belongs) and the request is completed.
 *   <li>The old worker, should its call ever return, sees its compare-and-set fail. It owns only
 *       its locals: a mapping that it got late is unmapped again, without copying, because the
 *       buffer may be in other hands by now. Then its thread ends.
 * </ol>
 */
final class Tenure {
  /** What is in hand. */
  enum Hand {
    /** Nothing that must be settled: a question for the largest mapping. */
    NOTHING,
    /** A map for {@link #slot}. */
    MAP,
    /** An unmap of {@link #slot}. */
    UNMAP
  }

  private static final Logger LOG = LoggerFactory.getLogger(Tenure.class);
  private static final long IN_CALL = 1;
  private static final long TAKEN = 2;
  private static final long PHASE = 3;
  private static final long NEXT_CALL = 4;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Tenure.class, "state", long.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final DmaDevice dma;

  @SuppressWarnings("UnusedVariable") // read and written through STATE
  private long state;

  private Hand hand = Hand.NOTHING;
  private @Nullable Slot slot;
  private boolean faulted;

  Tenure(final DmaDevice dma) {
    this.dma = dma;
  }

  /**
   * Maps the data of a slot for its owner.
   *
   * @param attributes bits of {@link DmaAttributes}
   * @return the bus address or MAPPING_ERROR
   * @throws OwnershipLostException when the queue was taken over meanwhile
   */
  long map(
      final Slot of,
      final long address,
      final int bytes,
      final DmaDirection direction,
      final int attributes)
      throws OwnershipLostException {
    enter(Hand.MAP, of);
    long bus = DmaDevice.MAPPING_ERROR;
    boolean threw = false;
    try {
      bus = dma.map(address, bytes, direction, attributes);
      if (dma.mappingError(bus)) {
        bus = DmaDevice.MAPPING_ERROR;
      }
    } catch (final RuntimeException | LinkageError e) {
      threw = true;
      LOG.error("map of {} bytes at 0x{} failed", bytes, Long.toHexString(address), e);
    }
    if (!leave()) {
      if (bus != DmaDevice.MAPPING_ERROR) {
        unmapLate(bus, bytes, direction);
      }
      throw new OwnershipLostException();
    }
    faulted = threw;
    return bus;
  }

  /** Whether the last map failed because it was wrong, so that trying again is of no use. */
  boolean faulted() {
    return faulted;
  }

  /**
   * Unmaps the data of a slot.
   *
   * @return whether the DMA API accepted that
   * @throws OwnershipLostException when the queue was taken over meanwhile
   */
  boolean unmap(final Slot of) throws OwnershipLostException {
    final long bus = of.bus;
    final int bytes = of.bytes;
    final DmaDirection direction = of.direction;
    enter(Hand.UNMAP, of);
    boolean threw = false;
    try {
      dma.unmap(bus, bytes, direction, DmaAttributes.NONE);
    } catch (final RuntimeException | LinkageError e) {
      threw = true;
      LOG.error("unmap of {} bytes at bus 0x{} failed", bytes, Long.toHexString(bus), e);
    }
    if (!leave()) {
      throw new OwnershipLostException();
    }
    return !threw;
  }

  /** Asks for the largest mapping that can succeed now. */
  long maxMappingSize() throws OwnershipLostException {
    enter(Hand.NOTHING, null);
    long size = 0;
    try {
      size = dma.maxMappingSize();
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("maxMappingSize failed", e);
    }
    if (!leave()) {
      throw new OwnershipLostException();
    }
    return size;
  }

  /** For the supervisor: the state word while a call goes on, else -1. */
  long callInProgress() {
    final long now = (long) STATE.getAcquire(this);
    return (now & PHASE) == IN_CALL ? now : -1;
  }

  /** For the supervisor: takes the queue away from the worker if it is still in that call. */
  boolean take(final long call) {
    return STATE.compareAndSet(this, call, (call & ~PHASE) | TAKEN);
  }

  /** What was in hand; for the successor, after {@link #take}. */
  Hand hand() {
    return hand;
  }

  /** The slot in hand; for the successor. */
  @Nullable Slot slot() {
    return slot;
  }

  private void enter(final Hand what, final @Nullable Slot of) {
    hand = what;
    slot = of;
    final long now = (long) STATE.getOpaque(this); // only this worker changes RUNNING
    STATE.setRelease(this, now | IN_CALL);
  }

  private boolean leave() {
    final long now = (long) STATE.getOpaque(this);
    // when the supervisor has won, the phase is TAKEN: expecting IN_CALL fails
    final long expected = (now & ~PHASE) | IN_CALL;
    return STATE.compareAndSet(this, expected, (now & ~PHASE) + NEXT_CALL);
  }

  private void unmapLate(final long bus, final int bytes, final DmaDirection direction) {
    try {
      dma.unmap(bus, bytes, direction, DmaAttributes.SKIP_CPU_SYNC);
    } catch (final RuntimeException | LinkageError e) {
      LOG.error("unmap of a late mapping at bus 0x{} failed", Long.toHexString(bus), e);
    }
  }
}
