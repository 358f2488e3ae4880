package io.carom.dma.core.map;

import io.carom.dma.spi.Refusal;
import java.util.concurrent.atomic.LongAdder;

/** Why maps of a device failed. Counted off the successful path. */
public final class Failures {
  /** Code of a strategy that threw or answered nonsense; behind the refusals' ordinals. */
  public static final int STRATEGY_ERROR = Refusal.values().length;

  private final LongAdder[] counts = new LongAdder[STRATEGY_ERROR + 1];

  /** Maps that found no strategy. */
  public final LongAdder noStrategy = new LongAdder();

  private volatile long lastSize;

  /** Nothing failed. */
  public Failures() {
    for (int i = 0; i < counts.length; i++) {
      counts[i] = new LongAdder();
    }
  }

  void count(final int reason, final long size) {
    counts[reason].increment();
    lastSize = size;
  }

  /** Maps refused for a reason. */
  public long of(final Refusal reason) {
    return counts[reason.ordinal()].sum();
  }

  /** Maps that failed through the strategy's fault. */
  public long strategyErrors() {
    return counts[STRATEGY_ERROR].sum();
  }

  /** All failed maps but those that found no strategy. */
  public long total() {
    long sum = 0;
    for (final LongAdder count : counts) {
      sum += count.sum();
    }
    return sum;
  }

  /** Bytes of the map that failed last. */
  public long lastSize() {
    return lastSize;
  }
}
