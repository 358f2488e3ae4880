package io.carom.dma.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * One pool of a strategy. The core calls {@link #allocate}, {@link #release}, {@link #grant},
 * {@link #retract}, {@link #tick} and what else takes a stripe under that stripe's lock: calls for
 * one stripe never overlap, calls for different stripes do. An instance therefore keeps its state
 * per stripe and shares nothing between them that it does not guard itself.
 *
 * <p>None of the methods may block, allocate on the heap in steady state, or touch bytes. Each is
 * watched: one that does not return costs its stripe, whose extents are set aside.
 */
@ConsumerType
public interface StrategyInstance extends AutoCloseable {
  /** Number of stripes, a power of two, constant. */
  int stripes();

  /**
   * How much bounce memory it wants to be granted in advance. Asked again at each tick, and soon
   * after a map that it refused: while it wants more than it has, it is granted more, one extent
   * after another. What it wants to have no longer it gives back by {@link #surplus}. Extents that
   * single maps needed are not counted.
   */
  ExtentPlan plan();

  /** Largest single mapping that it could place for a device with this alignment mask, in bytes. */
  long maxMappingSize(long minAlignMask);

  /** The core grants an extent to a stripe: its home from now on. */
  void grant(int stripe, Extent extent);

  /**
   * The core grants the extent that {@link #allocate} asked for, right before it asks again. Whose
   * it is after that one mapping is the strategy's decision, see {@link #release}.
   */
  default void grantNeeded(final int stripe, final Extent extent) {
    grant(stripe, extent);
  }

  /** The core takes an extent back that has no live mapping: forget it. */
  void retract(int stripe, Extent extent);

  /**
   * Decides where a buffer goes, using only extents homed in this stripe. The core tries other
   * stripes, and a strategy that is being replaced, when this one refuses.
   *
   * <p>After the answer {@link Placement#needExtent} the core leaves the strategy, makes the
   * extent, and under one hold of this stripe's lock grants it and asks once more for the same
   * request. A second such answer fails the map as FULL. When there is no such extent to be had the
   * core calls {@link #denied} and asks once more as well.
   *
   * @param answer set exactly one answer
   */
  void allocate(int stripe, MapRequest request, Placement answer);

  /**
   * The core could not make the extent that {@link #allocate} asked for; it asks once more, and the
   * strategy answers without it.
   */
  default void denied(final int stripe) {}

  /**
   * As {@link #denied(int)}, for an extent in an IOMMU domain: nothing is mapped there, and the
   * range is the strategy's again. Called for each such answer that does not come to {@link
   * #grantNeeded}, also when the extent could be made but was too late; then the same request is
   * not asked for again.
   *
   * @param iova as was asked for
   */
  default void denied(final int stripe, final long iova) {
    denied(stripe);
  }

  /**
   * A bounce of this stripe ended.
   *
   * @param runAddress the run that {@link #allocate} took
   * @param runBytes its size
   * @return true to give the extent that holds the run back: it has no other mapping, and the
   *     strategy has forgotten it already, so {@link #retract} is not called for it
   */
  boolean release(int stripe, long runAddress, long runBytes);

  /**
   * Time passes: about every 10 ms for each stripe. The place to decay, to trim, and to decide how
   * much {@link #plan} wants.
   *
   * @param nowMs milliseconds of the core's coarse clock
   */
  default void tick(final int stripe, final long nowMs) {}

  /**
   * An extent without mappings that it wants to give back, which it has forgotten already. Asked
   * after each tick until there is none; takes part in no map.
   *
   * @return null when it wants to keep the rest
   */
  default @Nullable Extent surplus(final int stripe) {
    return null;
  }

  /**
   * The core has disposed of an extent of a domain that the strategy gave back: pages and mapping
   * are gone and its addresses may be asked for again.
   *
   * @param reusable false when the IOMMU did not unmap it: pages and addresses are lost, the
   *     strategy must not name them again
   */
  default void disposed(final int stripe, final Extent extent, final boolean reusable) {}

  /** Whether it places a whole list as one mapping; else the core asks for each entry. */
  default boolean mapsLists() {
    return false;
  }

  /** How invalidations that it puts off are queued. */
  default FlushPlan flushPlan() {
    return FlushPlan.STRIPED;
  }

  /**
   * Memory is short: what is kept for reuse only should be {@link #surplus} at the end of the tick
   * that follows. Called under the lock of each stripe.
   */
  default void shrink(final int stripe) {}

  /** Its size classes, for people; empty when it has none. May be a little old. */
  default List<IovaClass> classes() {
    return List.of();
  }

  /**
   * Takes a run that no mapping uses, page-aligned, to be lent to a user of movable memory until
   * {@link #wantedBack} asks for it. It comes back by {@link #release}, as a mapping's run does.
   *
   * @param bytes whole pages
   * @return bus address of the run, or -1 when it lends nothing now
   */
  default long lend(final int stripe, final long bytes) {
    return -1;
  }

  /** Bytes of what it lent that it wants back now; asked after each tick. */
  default long wantedBack(final int stripe) {
    return 0;
  }

  /** Slots in use, by its own count; may be a little old. */
  long usedSlots();

  /** Slots granted. */
  long totalSlots();

  /** Slots of extents that exist for one mapping only, {@code io_tlb_transient_nslabs}. */
  default long transientSlots() {
    return 0;
  }

  /** Largest run of free memory, in bytes; may be a little old. */
  long largestFreeRun();

  /** The core is done with the instance: no call follows. */
  @Override
  void close();
}
