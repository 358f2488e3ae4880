package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.core.jfr.MapFailureEvent;
import io.carom.dma.spi.Refusal;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

/** Why maps of a device failed. Counted off the successful path; thread-safe. */
public final class Failures {
  /** Code of a strategy that threw or answered nonsense; behind the refusals' ordinals. */
  public static final int STRATEGY_ERROR = Refusal.values().length;

  /** Code of a map that the IOMMU refused, or for which it had no answer. */
  public static final int IOMMU = STRATEGY_ERROR + 1;

  /** Code of a map that found no strategy. */
  public static final int NO_STRATEGY = IOMMU + 1;

  /** Number of codes. */
  public static final int CODES = NO_STRATEGY + 1;

  private static final String[] NAMES = names();

  private final String device;
  private final LongAdder[] counts = new LongAdder[CODES];
  private final LongAdder[] quiet = new LongAdder[CODES];
  private final AtomicLongArray lastSizes = new AtomicLongArray(CODES);

  /** Maps that found no strategy. */
  public final LongAdder noStrategy;

  /** Nothing failed of a device. */
  public Failures(final String device) {
    this.device = device;
    for (int i = 0; i < CODES; i++) {
      counts[i] = new LongAdder();
      quiet[i] = new LongAdder();
    }
    noStrategy = counts[NO_STRATEGY];
  }

  /**
   * Counts a failed map.
   *
   * @param reason ordinal of a {@link Refusal}, {@link #STRATEGY_ERROR} or {@link #NO_STRATEGY}
   * @param size bytes of the map
   * @param attributes of the map; with NO_WARN it is counted, but nothing is logged of it
   */
  public void count(final int reason, final long size, final int attributes) {
    if ((attributes & DmaAttributes.NO_WARN) != 0) {
      quiet[reason].increment(); // first: it must never look louder than it is
    } else {
      lastSizes.lazySet(reason, size);
    }
    counts[reason].increment();
    MapFailureEvent.record(device, NAMES[reason], size);
  }

  private static String[] names() {
    final String[] names = new String[CODES];
    for (final Refusal refusal : Refusal.values()) {
      names[refusal.ordinal()] = refusal.name();
    }
    names[STRATEGY_ERROR] = "STRATEGY_ERROR";
    names[IOMMU] = "IOMMU";
    names[NO_STRATEGY] = "NO_STRATEGY";
    return names;
  }

  /** Maps refused for a reason. */
  public long of(final Refusal reason) {
    return counts[reason.ordinal()].sum();
  }

  /**
   * Failed maps of a code that are to be logged: those without NO_WARN. May lag behind by those
   * that are being counted.
   */
  public long loud(final int code) {
    final long all = counts[code].sum();
    return all - quiet[code].sum();
  }

  /** Maps that failed through the strategy's fault. */
  public long strategyErrors() {
    return counts[STRATEGY_ERROR].sum();
  }

  /** All failed maps but those that found no strategy. */
  public long total() {
    long sum = 0;
    for (int code = 0; code < NO_STRATEGY; code++) {
      sum += counts[code].sum();
    }
    return sum;
  }

  /** Bytes of the last map that failed for a code and is to be logged, or 0. */
  public long lastSize(final int code) {
    return lastSizes.get(code);
  }
}
