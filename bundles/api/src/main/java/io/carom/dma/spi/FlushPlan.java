package io.carom.dma.spi;

/**
 * How the core's queue of a domain puts invalidations off.
 *
 * @param striped one ring for each stripe, else one for the domain
 * @param entries ranges that a ring holds; a full one is flushed at once
 * @param timeoutMs milliseconds after which the oldest range is flushed
 */
public record FlushPlan(boolean striped, int entries, long timeoutMs) {
  /** A ring for each stripe of 256 ranges, flushed after 10 ms: Linux's per-CPU queues. */
  public static final FlushPlan STRIPED = new FlushPlan(true, 256, 10);

  /** One ring of 32,768 ranges, flushed after a second: Linux's queue for shadowed IOMMUs. */
  public static final FlushPlan SINGLE = new FlushPlan(false, 32_768, 1_000);
}
