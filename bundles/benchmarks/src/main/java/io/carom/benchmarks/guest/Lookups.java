package io.carom.benchmarks.guest;

import io.carom.dma.SwapPolicy;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.swap.Settings;
import java.util.Arrays;
import java.util.List;

/** The ways of finding records that cores can be made with. */
public final class Lookups {
  /** The core's default: an index by slot. */
  public static final String DIRECT = "direct";

  private static final long DRAIN_MS = 1_000;

  /** Long, so that a machine that is slow for a moment does not lose a stripe. */
  private static final long WATCHDOG_MS = 60_000;

  private Lookups() {}

  /** Their names, in the order in which they are measured. */
  public static List<String> names() {
    return Arrays.stream(Lookup.values()).map(Lookup::toString).toList();
  }

  /** Settings of a core that finds records that way and moves no device by itself. */
  static Settings settings(final String strategy, final String lookup) {
    return new Settings(strategy, false, DRAIN_MS, SwapPolicy.ADOPT, WATCHDOG_MS)
        .with(Settings.THROTTLE_MS, Settings.REACHABLE_PERCENT, Lookup.parse(lookup));
  }
}
