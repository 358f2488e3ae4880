package io.carom.dma.core.pool;

/**
 * A generation's counts in one stripe. Written under the stripe's lock with plain stores, read by
 * anyone, a little old. Counts of a stripe that was abandoned are not kept: see {@link
 * Generation#live}.
 */
@SuppressWarnings({"unused", "UnusedVariable"})
public final class GenerationCell extends StripePad {
  /** Live bounces. */
  public long live;

  /** Slots of live bounces. */
  public long slots;

  /** Successful maps, of any placement. */
  public long maps;

  /** Ended bounces. */
  public long unmaps;

  /** Maps that were bounced. */
  public long bounced;

  /** Bytes copied in. */
  public long copiedIn;

  /** Bytes copied back. */
  public long copiedOut;

  /** Maps served for the generation that replaces this one. */
  public long lent;

  private long pad0;
  private long pad1;
  private long pad2;

  GenerationCell() {}

  /** Counts a bounce that begins. */
  public void mapped(final long bytes, final int taken, final boolean borrowed) {
    slots += taken;
    live++;
    maps++;
    bounced++;
    copiedIn += bytes;
    if (borrowed) {
      lent++;
    }
  }

  /** Counts a bounce that ends. */
  public void unmapped(final long bytes, final int given) {
    slots -= given;
    live--;
    unmaps++;
    copiedOut += bytes;
  }
}
