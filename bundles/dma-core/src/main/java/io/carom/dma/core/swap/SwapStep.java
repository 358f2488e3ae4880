package io.carom.dma.core.swap;

import io.carom.dma.core.pool.Generation;

/**
 * Where a swap that goes on stands, for those who watch.
 *
 * @param device device name
 * @param from strategy before, {@code none} for none
 * @param to strategy after, {@code none} for none
 * @param cause as in {@link io.carom.dma.SwapReport}
 * @param policy what happens at the drain deadline
 * @param fromGeneration generation before, 0 until it is known
 * @param toGeneration generation after, 0 until it is made
 * @param live old mappings
 * @param graceUs how long the grace took, microseconds; 0 before
 */
public record SwapStep(
    String device,
    String from,
    String to,
    String cause,
    String policy,
    int fromGeneration,
    int toGeneration,
    long live,
    double graceUs) {
  static SwapStep of(final Transition swap) {
    final Generation from = swap.from;
    final Generation to = swap.to;
    return new SwapStep(
        swap.device.name(),
        swap.fromName(),
        swap.toName(),
        swap.cause,
        swap.policy.toString(),
        from == null ? 0 : from.number,
        to == null ? 0 : to.number,
        from == null ? 0 : from.live(),
        swap.graceNs / 1e3);
  }
}
