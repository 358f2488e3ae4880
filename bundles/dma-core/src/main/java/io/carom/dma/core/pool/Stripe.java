package io.carom.dma.core.pool;

import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import org.jspecify.annotations.Nullable;

/**
 * One stripe of a pool: the lock under which the strategy's code for it runs, and the objects that
 * a call needs, so that none is made.
 */
public final class Stripe extends StripeLock {
  /** Position in the pool. */
  public final int index;

  /** What the strategy is asked; guarded by the lock. */
  public final MapRequest request = new MapRequest();

  /** What it answered; guarded by the lock. */
  public final Placement placement = new Placement();

  /** The extent that was made for the map in hand; guarded by the lock. */
  public @Nullable ExtentState made;

  /** The extent of the last bounce, where the next is likely too; guarded by the lock. */
  public @Nullable ExtentState recent;

  /** Extents that the next mapping which needs one gets; guarded by the lock. */
  final KeptExtents kept = new KeptExtents();

  /** Bytes that the strategy wants back of what it lent; guarded by the lock. */
  public long wantedBack;

  /** When a refusal was last looked at closely; guarded by the lock. */
  public int doubtedAt = -1;

  /** The pool that it belongs to. */
  public final Pool pool;

  /**
   * Odd while the holder is inside the strategy's code, and another number each time. Written under
   * the lock, read by the watchdog: only there can a holder hang for reasons that the core does not
   * know.
   */
  private long visit;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad0;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad1;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad2;

  @SuppressWarnings({"unused", "UnusedVariable"})
  private long pad3;

  /** The stripe of an index. */
  public Stripe(final Pool pool, final int index) {
    this.pool = pool;
    this.index = index;
  }

  /** The holder enters the strategy's code. */
  public void enterStrategy() {
    visit++;
  }

  /** The holder is not in the strategy's code, whether it was or not. */
  public void leaveStrategy() {
    visit = (visit + 1) & -2L;
  }

  /** The number of the holder's visit to the strategy's code; even between two of them. */
  public long visit() {
    return visit;
  }
}
