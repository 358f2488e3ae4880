package io.carom.dma.spi;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * One pool of a strategy. The core calls {@link #allocate}, {@link #release}, {@link #grant} and
 * {@link #retract} of one stripe under that stripe's lock: calls for one stripe never overlap,
 * calls for different stripes do. An instance therefore keeps its state per stripe and shares
 * nothing between them that it does not guard itself.
 *
 * <p>None of the methods may block, allocate on the heap in steady state, or touch bytes. Each is
 * watched: one that does not return costs its stripe, whose extents are set aside.
 */
@ConsumerType
public interface StrategyInstance extends AutoCloseable {
  /** Number of stripes, a power of two, constant. */
  int stripes();

  /** How much bounce memory it wants. */
  ExtentPlan plan();

  /** Largest single mapping that it could place for a device with this alignment mask, in bytes. */
  long maxMappingSize(long minAlignMask);

  /** The core grants an extent to a stripe: its home from now on. */
  void grant(int stripe, Extent extent);

  /** The core takes an extent back that has no live mapping: forget it. */
  void retract(int stripe, Extent extent);

  /**
   * Decides where a buffer goes, using only extents homed in this stripe. The core tries other
   * stripes, and a strategy that is being replaced, when this one refuses.
   *
   * @param answer set exactly one answer
   */
  void allocate(int stripe, MapRequest request, Placement answer);

  /**
   * A bounce of this stripe ended.
   *
   * @param runAddress the run that {@link #allocate} took
   * @param runBytes its size
   */
  void release(int stripe, long runAddress, long runBytes);

  /** Slots in use, by its own count; may be a little old. */
  long usedSlots();

  /** Slots granted. */
  long totalSlots();

  /** Largest run of free memory, in bytes; may be a little old. */
  long largestFreeRun();

  /** The core is done with the instance: no call follows. */
  @Override
  void close();
}
