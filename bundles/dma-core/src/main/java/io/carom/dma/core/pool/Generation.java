package io.carom.dma.core.pool;

import io.carom.dma.ExtentKind;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A device's time with a strategy: every mapping belongs to the generation that was current when it
 * was made (or lent by the one before). READY → CURRENT → DRAINING → CLOSED, or ADOPTED when the
 * core finishes without the strategy's code.
 */
public final class Generation {
  /** Where a generation stands. */
  public enum State {
    /** Made, not yet published. */
    READY,
    /** New maps go here. */
    CURRENT,
    /** Replaced; its mappings die by their own unmaps, and it may lend room. */
    DRAINING,
    /** Replaced and past its deadline, or its strategy is gone: the core finishes it. */
    ADOPTED,
    /** No mapping is left. */
    CLOSED
  }

  /** Cells of pass counts, one for each shard of the pass table. */
  public static final int PASS_SHARDS = 64;

  private static final int PASS_STRIDE = 8; // one cache line of longs for each shard
  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(long[].class);

  /** The device's number in the core. */
  public final int device;

  /** Number among the device's generations, from 1. */
  public final int number;

  /** The strategy's name, or null when there is none. */
  public final @Nullable String strategy;

  /** The pool, or null when there is no strategy: all maps fail. */
  public final @Nullable Pool pool;

  /** Largest mapping that the strategy could place for the device. */
  public final long maxMappingSize;

  private final GenerationCell[] cells;
  private final long[] passLive = new long[PASS_SHARDS * PASS_STRIDE];
  private final long[] passUnmaps = new long[PASS_SHARDS * PASS_STRIDE];
  private final long[] remapLive = new long[PASS_SHARDS * PASS_STRIDE];
  private final long[] remapUnmaps = new long[PASS_SHARDS * PASS_STRIDE];
  private int slot = -1;
  private volatile State state = State.READY;
  private volatile @Nullable Generation lender;
  private volatile boolean settled;

  /** A generation in READY. */
  public Generation(
      final int device,
      final int number,
      final @Nullable String strategy,
      final @Nullable Pool pool,
      final long maxMappingSize) {
    this.device = device;
    this.number = number;
    this.strategy = strategy;
    this.pool = pool;
    this.maxMappingSize = maxMappingSize;
    cells = new GenerationCell[pool == null ? 0 : pool.stripes().length];
    for (int i = 0; i < cells.length; i++) {
      cells[i] = new GenerationCell();
    }
  }

  /** Its place in the generation table. */
  public int slot() {
    return slot;
  }

  void slot(final int value) {
    slot = value;
  }

  /** Where it stands. */
  public State state() {
    return state;
  }

  /** Moves on. By the swap only. */
  public void state(final State next) {
    state = next;
  }

  /** The generation that lends room to this one while it drains, or null. */
  public @Nullable Generation lender() {
    return lender;
  }

  /** Sets or ends the loan. By the swap only. */
  public void lender(final @Nullable Generation generation) {
    lender = generation;
  }

  /** Whether whoever replaced it is done with it: not before that it may be ended. */
  public boolean settled() {
    return settled;
  }

  /** Its replacement is done with it: no map can begin in it, and nobody looks for its records. */
  public void settle() {
    settled = true;
  }

  /** Kind of its bounce memory, or null. */
  public @Nullable ExtentKind extents() {
    return pool == null ? null : pool.extents();
  }

  /** The counts of a stripe. */
  public GenerationCell cell(final int stripe) {
    return cells[stripe];
  }

  /** All counts. */
  public GenerationCell[] cells() {
    return cells;
  }

  /** Counts a pass mapping that begins; under the shard's lock. */
  public void passBegins(final int shard) {
    passLive[shard * PASS_STRIDE]++;
  }

  /** Counts a pass mapping that ends; under the shard's lock. */
  public void passEnds(final int shard) {
    passLive[shard * PASS_STRIDE]--;
    passUnmaps[shard * PASS_STRIDE]++;
  }

  /** Counts a remap that begins. Atomic: each domain's table has its own locks for its shards. */
  public void remapBegins(final int shard) {
    COUNT.getAndAdd(remapLive, shard * PASS_STRIDE, 1L);
  }

  /** Counts a remap out that never was one. */
  public void remapUndone(final int shard) {
    COUNT.getAndAdd(remapLive, shard * PASS_STRIDE, -1L);
  }

  /** Counts a remap that ends. */
  public void remapEnds(final int shard) {
    COUNT.getAndAdd(remapLive, shard * PASS_STRIDE, -1L);
    COUNT.getAndAdd(remapUnmaps, shard * PASS_STRIDE, 1L);
  }

  /** Live remaps, those that are beginning or ending included; a little old. */
  public long remaps() {
    return sum(remapLive);
  }

  /** All remaps so far, those that are live and those that have ended; a little old. */
  public long allRemaps() {
    return sum(remapLive) + sum(remapUnmaps);
  }

  /** Live mappings in place; a little old. */
  public long passes() {
    return sum(passLive);
  }

  private static long sum(final long[] counts) {
    long sum = 0;
    for (int i = 0; i < counts.length; i += PASS_STRIDE) {
      sum += counts[i];
    }
    return sum;
  }

  /**
   * Live mappings. Read without locks: after the generation was replaced and its grace is over the
   * counts only fall, each cell for itself, so a sum of 0 is final. The stripes that were abandoned
   * have no counts; their records are counted one by one, and one more for each in which a record
   * may yet be published, see {@link StripeLock}.
   */
  public long live() {
    long sum = sum(passLive) + sum(remapLive);
    if (pool == null) {
      return sum;
    }
    for (final Stripe stripe : pool.stripes()) {
      if (!stripe.abandoned()) {
        sum += cells[stripe.index].live();
      } else if (stripe.mayPublish()) {
        sum++;
      }
    }
    return pool.anyAbandoned() ? sum + pool.countAbandoned(slot) : sum;
  }

  /** Slots of its live bounces; a little old. */
  public long usedSlots() {
    long sum = 0;
    for (int stripe = 0; stripe < cells.length; stripe++) {
      // What ends in an abandoned stripe is not counted there any more.
      sum += pool == null || pool.stripes()[stripe].abandoned() ? 0 : cells[stripe].slots;
    }
    return sum;
  }

  /** Ended mappings. */
  public long unmaps() {
    long sum = sum(passUnmaps) + sum(remapUnmaps);
    for (final GenerationCell cell : cells) {
      sum += cell.unmaps;
    }
    return sum;
  }
}
