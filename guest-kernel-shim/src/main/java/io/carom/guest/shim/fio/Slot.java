package io.carom.guest.shim.fio;

import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.IoBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One request of a job with its buffer, made once and used again.
 *
 * <p>Its state goes RESTING → IN_FLIGHT by the job; then ENDED by the driver's completion or LOST
 * by the deadline, whichever compare-and-set comes first. An ended slot is the job's again. A lost
 * one never is: when it ends after all, {@link Owner#late} gives its buffer and claim back.
 */
final class Slot implements BlockRequest.Completion {
  /** What the request in flight is for. */
  enum Step {
    READ,
    WRITE,
    TRIM,
    /** Writes sectors that could not be verified. */
    REPAIR
  }

  /** Receives ends, on a worker of the driver. */
  interface Owner {
    void ended(Slot slot);

    void late(Slot slot);

    long nanoTime();
  }

  private static final int RESTING = 0;
  private static final int IN_FLIGHT = 1;
  private static final int ENDED = 2;
  private static final int LOST = 3;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(Slot.class, "state", int.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final BlockRequest request = new BlockRequest();

  /** Guest-physical address of the buffer. */
  final long address;

  /** Its bytes; not looked up by address: a reachable buffer need not be RAM. */
  final MemorySegment memory;

  /** The buffer, if the disk's device reaches it without a copy; null for ordinary pages. */
  final @Nullable IoBuffer reachable;

  /** A view of {@link #memory} for checksums. */
  final ByteBuffer bytes;

  Step step = Step.READ;

  /** First sector of the block, and how many. */
  long sector;

  int sectors;

  /** Whether the sectors are claimed. */
  boolean claimed;

  /** Version of the write or discard in flight. */
  long version;

  /** Sectors of the block that a repair has already passed. */
  int repaired;

  /** When it was submitted and when it ended. */
  long startNs;

  long endNs;

  BlockStatus status = BlockStatus.OK;

  /** Link of the stack of ended slots, and of the job's list of resting ones. */
  @Nullable Slot next;

  private final Owner owner;

  @SuppressWarnings("unused") // through STATE
  private volatile int state = RESTING;

  Slot(
      final Owner owner,
      final long address,
      final MemorySegment memory,
      final @Nullable IoBuffer reachable) {
    this.owner = owner;
    this.address = address;
    this.memory = memory;
    this.reachable = reachable;
    this.bytes = memory.asByteBuffer();
    request.completion = this;
  }

  /** Before submission. */
  void start(final long now) {
    startNs = now;
    STATE.setRelease(this, IN_FLIGHT);
  }

  boolean inFlight() {
    return (int) STATE.getAcquire(this) == IN_FLIGHT;
  }

  boolean lost() {
    return (int) STATE.getAcquire(this) == LOST;
  }

  /** Gives up waiting; false when it has ended. */
  boolean tryLose() {
    return STATE.compareAndSet(this, IN_FLIGHT, LOST);
  }

  /** Takes back a request that submission refused; false when it has ended all the same. */
  boolean tryEnd() {
    return STATE.compareAndSet(this, IN_FLIGHT, ENDED);
  }

  @Override
  public void completed(final BlockRequest ended, final BlockStatus how) {
    final long now = owner.nanoTime();
    if (tryEnd()) {
      status = how;
      endNs = now;
      owner.ended(this); // pushes with a compare-and-set, which publishes both
    } else {
      owner.late(this);
    }
  }
}
