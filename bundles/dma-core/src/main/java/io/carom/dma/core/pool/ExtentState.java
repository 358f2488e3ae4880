package io.carom.dma.core.pool;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.Extent;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the core keeps of an extent: its bytes, its records, and who owns it.
 *
 * <p><b>Invariant</b>: the owner changes only while it {@link #isEmpty is empty}, under the home
 * stripe's lock of the owner before. So whoever holds a live mapping finds the same owner and home
 * from its map to its unmap, without knowing which strategy is current; whoever does not is found
 * out by checking the owner again under the lock. It changes by compare-and-set: whoever takes an
 * extent that another one has taken before is refused, so that none is granted twice.
 *
 * <p>Records, {@code occupied} and {@code starts} are guarded by the lock of the home stripe. Syncs
 * read {@code starts} without it: the bits of their own mapping do not change meanwhile.
 */
public final class ExtentState {
  private static final VarHandle STRIPE;

  static {
    try {
      STRIPE = MethodHandles.lookup().findVarHandle(ExtentState.class, "stripe", Stripe.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** What strategies know of it. */
  public final Extent extent;

  /** The memory that it lies in. */
  public final MemorySegment memory;

  /** What to add to a bus address in the extent to get an offset in {@link #memory}. */
  public final long delta;

  /** For each page of a slot set its extent: only in the index's entry for a set of many. */
  final @Nullable ExtentState @Nullable [] pages;

  private final long bus;
  private final long bytes;
  private final MappingRecord[] records;
  private final long[] occupied;
  private final long[] starts;
  private volatile @Nullable Stripe stripe;

  /** The pages of an extent of an IOMMU domain; it holds one mapping at most. */
  public final @Nullable Backing backing;

  /** The stripe that it was homed in last. */
  private int lastHome;

  /** Whether a map asked for it; it is not part of what the strategy planned. */
  private boolean needed;

  /** Whether it is kept by its pool for the next map that needs one; the strategy has no part. */
  private boolean kept;

  /**
   * Makes an extent that nobody owns.
   *
   * @param offset of its first byte in {@code memory}
   */
  public ExtentState(final Extent extent, final MemorySegment memory, final long offset) {
    this(extent, memory, offset, null, null);
  }

  /** Makes an extent of an IOMMU domain, for one mapping at a time. */
  public ExtentState(final Extent extent, final Backing backing) {
    this(extent, MemorySegment.NULL, 0, null, backing);
  }

  private ExtentState(
      final Extent extent,
      final MemorySegment memory,
      final long offset,
      final @Nullable ExtentState @Nullable [] pages,
      final @Nullable Backing backing) {
    this.pages = pages;
    this.backing = backing;
    this.extent = extent;
    this.memory = memory;
    this.delta = offset - extent.busAddress();
    this.bus = extent.busAddress();
    this.bytes = extent.size();
    final int slots = backing == null ? extent.slots() : 1;
    records = new MappingRecord[slots];
    for (int i = 0; i < slots; i++) {
      records[i] = new MappingRecord();
    }
    occupied = new long[(slots + 63) / 64];
    starts = new long[(slots + 63) / 64];
  }

  /** An entry of the index that stands for many extents in one slot set. */
  static ExtentState split(final @Nullable ExtentState[] pages) {
    return new ExtentState(
        new Extent(0, ExtentKind.RAM, 0, 0),
        MemorySegment.NULL,
        0,
        Objects.requireNonNull(pages),
        null);
  }

  /** Whether a bus address lies in it. */
  public boolean holds(final long busAddress) {
    return busAddress >= bus && busAddress - bus < bytes;
  }

  /** The stripe that it is homed in, of the pool that owns it; null when nobody does. */
  public @Nullable Stripe stripe() {
    return stripe;
  }

  /** The pool that owns it, or null. */
  public @Nullable Pool owner() {
    final Stripe home = stripe;
    return home == null ? null : home.pool;
  }

  /**
   * Changes its owner: the one word that says whose it is. Only while it is empty.
   *
   * @param from the stripe that has it, or null for nobody
   * @param to the stripe that gets it, or null for nobody
   * @return false, and nothing changed, when {@code from} does not have it
   */
  boolean own(final @Nullable Stripe from, final @Nullable Stripe to) {
    if (to != null) {
      lastHome = to.index;
    }
    return STRIPE.compareAndSet(this, from, to);
  }

  /** The stripe that it is or was homed in. */
  int lastHome() {
    return lastHome;
  }

  /** Whether a single map asked for it; constant while it is owned. */
  public boolean needed() {
    return needed;
  }

  /** Sets whether a single map asks for it; while nobody owns it. */
  void needed(final boolean value) {
    needed = value;
  }

  /** Whether its pool keeps it while the strategy has no part in it; under the stripe's lock. */
  public boolean kept() {
    return kept;
  }

  /** Sets whether its pool keeps it; under the stripe's lock. */
  void kept(final boolean value) {
    kept = value;
  }

  /** Whether no run in it is taken. Only under the home stripe's lock it stays so. */
  public boolean isEmpty() {
    for (final long word : occupied) {
      if (word != 0) {
        return false;
      }
    }
    return true;
  }

  /** Forgets what was taken in a stripe that was abandoned; nobody is inside any more. */
  void reset() {
    Arrays.fill(occupied, 0);
    Arrays.fill(starts, 0);
    kept = false;
  }

  /** The record at a bus address of the extent. */
  public MappingRecord record(final long busAddress) {
    return backing != null ? records[0] : records[(int) ((busAddress - bus) >> Extent.SLOT_SHIFT)];
  }

  /** Bus address of a record's run. */
  public long runAddress(final MappingRecord record) {
    return bus + ((long) record.runSlot() << Extent.SLOT_SHIFT); // in the extent
  }

  /** Bytes of a record's run. */
  public long runBytes(final MappingRecord record) {
    return (long) record.runSlots() << Extent.SLOT_SHIFT;
  }

  /** All records, by slot. */
  public MappingRecord[] records() {
    return records;
  }

  /**
   * Takes a run of slots for a new mapping. Under the lock.
   *
   * @return null when the run is not within the extent, the first byte not within the run, or a
   *     slot is taken: the strategy is wrong
   */
  public @Nullable MappingRecord take(
      final long busAddress, final long size, final long runAddress, final long runBytes) {
    if (!fits(busAddress, size, runAddress, runBytes)) {
      return null;
    }
    final long first = runAddress - bus;
    if (backing != null) {
      return takeWhole();
    }
    final int slot = (int) (first >> Extent.SLOT_SHIFT);
    final int count = (int) (runBytes >> Extent.SLOT_SHIFT);
    if (!SlotBits.take(occupied, slot, count)) {
      return null;
    }
    final int start = (int) ((busAddress - bus) >> Extent.SLOT_SHIFT);
    starts[start >> 6] |= 1L << start;
    final MappingRecord record = records[start];
    record.run(slot, count);
    return record;
  }

  /** Whether a run is whole slots of the extent, and holds the mapping. */
  public boolean fits(
      final long busAddress, final long size, final long runAddress, final long runBytes) {
    final long first = runAddress - bus;
    final long lead = busAddress - runAddress;
    // Each of these is at most what the one before it was compared with: no sum overflows.
    return first >= 0
        && first < bytes
        && runBytes > 0
        && runBytes <= bytes - first
        && ((first | runBytes) & (Extent.SLOT_SIZE - 1)) == 0
        && lead >= 0
        && lead < runBytes
        && size <= runBytes - lead;
  }

  private @Nullable MappingRecord takeWhole() {
    if (occupied[0] != 0) {
      return null;
    }
    occupied[0] = 1;
    starts[0] = 1;
    records[0].run(0, extent.slots());
    return records[0];
  }

  /** Gives a mapping's run back. Under the lock; the record was freed before. */
  public void giveBack(final MappingRecord record) {
    if (backing != null) {
      occupied[0] = 0;
      starts[0] = 0;
      return;
    }
    SlotBits.flip(occupied, record.runSlot(), record.runSlots());
    final int start = (int) ((record.busAddress - bus) >> Extent.SLOT_SHIFT);
    starts[start >> 6] &= ~(1L << start);
  }

  /**
   * The record of the mapping that may contain an address: the nearest start at or below it.
   *
   * @return null when no mapping starts there or below
   */
  public @Nullable MappingRecord containing(final long busAddress) {
    if (backing != null) {
      return starts[0] == 0 ? null : records[0];
    }
    final int start = SlotBits.previous(starts, (int) ((busAddress - bus) >> Extent.SLOT_SHIFT));
    return start < 0 ? null : records[start];
  }

  /**
   * Counts the records that are not free, of one generation, or of all for -1, held runs included;
   * without the lock.
   */
  public int count(final int generation) {
    int count = 0;
    for (final MappingRecord record : records) {
      if (record.state() != MappingRecord.FREE
          && (generation < 0 || record.generation() == generation)) {
        count++;
      }
    }
    return count;
  }

  /** Slots in use; without the lock, a little old. */
  public long usedSlots() {
    if (backing != null) {
      return occupied[0] == 0 ? 0 : extent.slots();
    }
    long used = 0;
    for (final long word : occupied) {
      used += Long.bitCount(word);
    }
    return used;
  }
}
