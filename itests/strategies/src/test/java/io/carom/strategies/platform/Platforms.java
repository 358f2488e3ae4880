package io.carom.strategies.platform;

import io.carom.machine.platform.BusBank;
import io.carom.machine.platform.PlatformSettings;
import io.carom.strategies.kit.Guest;
import io.carom.strategies.kit.Subject;
import io.carom.strategies.kit.World;
import io.carom.dma.core.swap.Timing;
import java.util.List;

/** Worlds behind stages. */
final class Platforms {
  static final int BANKS = 1;
  static final int ENCRYPTED = 2;
  static final int CACHES = 4;
  static final int QUEUE = 8;

  /** Every stage there is. */
  static final int ALL = 15;

  static final int BIT = 47;

  private static final int MIB = 64;
  private static final long BYTES = (long) MIB << 20;

  private Platforms() {}

  /** Stages as bits. */
  static PlatformSettings settings(final int stages, final long seed) {
    final boolean caches = (stages & CACHES) != 0;
    return new PlatformSettings(
        0,
        (stages & BANKS) == 0
            ? List.of()
            : List.of(
                new BusBank(0, 0x1000_0000L, BYTES), new BusBank(1L << 32, 0x2_4000_0000L, BYTES)),
        (stages & ENCRYPTED) == 0 ? 0 : BIT,
        caches,
        caches,
        caches ? 500 : 0,
        caches ? 500 : 0,
        (stages & QUEUE) == 0 ? 0 : 16,
        seed);
  }

  /** A guest of 64 MiB below and above 4 GiB behind stages. */
  static World world(final Subject subject, final int stages, final long seed) {
    return new World(
        subject, new Guest(MIB, MIB, false, settings(stages, seed)), Timing.SYSTEM);
  }
}
