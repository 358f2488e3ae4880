package io.carom.dma.core.pool;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One bounced mapping, at the slot that holds its first byte. Made with its extent and used again
 * and again; only numbers, because storing a reference into an old object would cost a barrier on
 * the map path.
 *
 * <pre>
 *            publish (under the stripe lock, release)
 *     FREE ───────────────────────────────────────────▶ LIVE
 *      ▲   take: under the lock (nothing to copy back)    │
 *      ├──────────────────────────────────────────────────┤
 *      │                 claim: compare-and-set           ▼
 *      └──────────── after copying back ──────────── COPYING
 * </pre>
 *
 * <p>A run of slots can also be held without being mapped, REACHABLE, LENT or ASIDE; whoever took
 * it ends that, under the lock.
 *
 * <p>The fields are written before LIVE is published and are constant while the record is not FREE.
 * A mapping that may have to be copied back is claimed by compare-and-set, before the copy and
 * without the lock; one that need not is taken under the lock. Which of the two is decided by the
 * record's direction, so all who end one mapping meet at the same place. Where the stripe was
 * abandoned there is no lock, and every record is claimed by compare-and-set.
 */
public final class MappingRecord {
  /** Not in use. */
  public static final int FREE = 0;

  /** A mapping. */
  public static final int LIVE = 1;

  /** A mapping that is being ended: its bytes are copied back. */
  public static final int COPYING = 2;

  /** No mapping: the driver holds the run as an I/O buffer. */
  public static final int REACHABLE = 3;

  /** No mapping: the run is lent to a user of movable memory. */
  public static final int LENT = 4;

  /** No mapping: the run is kept from a device whose driver has yet to unmap one like it. */
  public static final int ASIDE = 5;

  private static final int TICK_BITS = 30;
  private static final VarHandle STATE;

  static {
    try {
      STATE = MethodHandles.lookup().findVarHandle(MappingRecord.class, "state", int.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  @SuppressWarnings("UnusedVariable") // by STATE alone
  private int state;

  /** Guest-physical address of the buffer. */
  public long address;

  /** Bus address of the first byte. */
  public long busAddress;

  /** Bytes. */
  public long size;

  /** First slot of the run in its extent and number of its slots, padding included. */
  private long run;

  /**
   * Generation, direction and tick: few stores make a mapping, as they must drain before a lock.
   */
  private long tag;

  /** A free record. */
  public MappingRecord() {}

  /** The state; what was written before it was published is visible. */
  public int state() {
    return (int) STATE.getAcquire(this);
  }

  /** Describes a mapping that is to be published. Only under the stripe lock. */
  public void fill(
      final long newAddress,
      final long newBusAddress,
      final long newSize,
      final int newDirection,
      final int newGeneration,
      final int newTick) {
    address = newAddress;
    busAddress = newBusAddress;
    size = newSize;
    tag =
        (long) newGeneration << 32
            | (long) newDirection << TICK_BITS
            | (newTick & ((1 << TICK_BITS) - 1));
  }

  /** Says which slots of its extent it has. Only under the stripe lock. */
  void run(final int slot, final int slots) {
    run = (long) slot << 32 | slots;
  }

  /** First slot of the run in its extent, padding included. */
  public int runSlot() {
    return (int) (run >>> 32);
  }

  /** Slots of the run. */
  public int runSlots() {
    return (int) run;
  }

  /** Whose it is and since when, in one: not the same for two mappings at once. */
  public long tag() {
    return tag;
  }

  /** Slot of the generation in the generation table; {@link #heldBy} when it is no mapping. */
  public int generation() {
    return (int) (tag >> 32);
  }

  /** Ordinal of the direction. */
  public int direction() {
    return (int) tag >>> TICK_BITS;
  }

  /** Milliseconds since it was mapped: at most twelve days, the clock's bits here. */
  public int age(final int nowTick) {
    return (nowTick - (int) tag) & ((1 << TICK_BITS) - 1);
  }

  /** Publishes the mapping. Only under the stripe lock. */
  public void publish() {
    STATE.setRelease(this, LIVE);
  }

  /** Publishes a run that is no mapping, as REACHABLE, LENT or ASIDE. Under the stripe lock. */
  public void publishHeld(final int newState) {
    STATE.setRelease(this, newState);
  }

  /** What stands in the place of a generation when a device's driver holds the run, or nobody's. */
  public static int heldBy(final int device) {
    return -2 - device;
  }

  /** Whether it is or was a mapping, and not a run that is held. */
  public static boolean isMapping(final int state) {
    return state == LIVE || state == COPYING;
  }

  /** Ends the mapping for good. */
  public void free() {
    STATE.setRelease(this, FREE);
  }

  /** Claims a live mapping: at most one caller succeeds. */
  public boolean claim(final int to) {
    return STATE.compareAndSet(this, LIVE, to);
  }
}
