package io.carom.dma.core.swap;

import io.carom.dma.core.pool.Misconduct;
import io.carom.dma.core.pool.Pool;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Why a strategy is to be left at once.
 *
 * @param serviceId the service that goes, when {@code pool} is null
 * @param pool the pool whose strategy has misbehaved, or null
 * @param cause as in {@link io.carom.dma.SwapReport}
 * @param note as there
 */
record Leaving(long serviceId, @Nullable Pool pool, String cause, @Nullable String note) {
  /** A service goes away. */
  static Leaving service(final long serviceId) {
    return new Leaving(serviceId, null, "service gone", null);
  }

  /** A strategy has misbehaved in a pool. */
  static Leaving misbehaved(final Pool pool, final Misconduct.Verdict verdict) {
    return new Leaving(0, pool, "misbehaved", verdict.toString());
  }

  /**
   * What the report says.
   *
   * @param abandoned how many stripes were given up
   * @param troubles what else went wrong, or null
   */
  @Nullable String note(final int abandoned, final @Nullable String... troubles) {
    final List<String> all = new ArrayList<>();
    if (note != null) {
      all.add(note);
    }
    if (abandoned > 0) {
      all.add(abandoned + " stripes did not end in the grace: abandoned");
    }
    for (final String trouble : troubles) {
      if (trouble != null) {
        all.add(trouble);
      }
    }
    return all.isEmpty() ? null : String.join("; ", all);
  }

  /** Whether it is a pool's strategy that is to be left. */
  boolean isOf(final Pool other, final StrategyRef ref) {
    return pool == null ? ref.id() == serviceId : pool == other;
  }
}
