package io.carom.dma.core.pool;

import java.lang.invoke.VarHandle;

/**
 * A generation's counts in one stripe. Written under the stripe's lock with plain stores, read by
 * anyone, a little old. Counts of a stripe that was abandoned are not kept: see {@link
 * Generation#live}.
 */
@SuppressWarnings({"unused", "UnusedVariable"})
public final class GenerationCell extends StripePad {
  /** Slots of live bounces. */
  public long slots;

  /** Maps that were bounced. */
  public long bounced;

  /** Maps in place. */
  public long passed;

  /** Ended bounces. */
  public long unmaps;

  /** Bytes copied in. */
  public long copiedIn;

  /** Bytes copied back. */
  public long copiedOut;

  /** Maps served for the generation that replaces this one. */
  public long lent;

  private long pad0;
  private long pad1;
  private long pad2;
  private long pad3;

  GenerationCell() {}

  /**
   * Live bounces. Without the lock: once no map begins any more it only falls, since what ended is
   * read first, and 0 is final.
   */
  long live() {
    final long ended = unmaps;
    VarHandle.loadLoadFence();
    return bounced - ended;
  }

  /** Counts a bounce that begins. */
  public void mapped(final long bytes, final int taken, final boolean borrowed) {
    slots += taken;
    bounced++;
    copiedIn += bytes;
    if (borrowed) {
      lent++;
    }
  }

  /** Counts a bounce that ends. */
  public void unmapped(final long bytes, final int given) {
    slots -= given;
    unmaps++;
    if (bytes != 0) {
      copiedOut += bytes;
    }
  }
}
