package io.carom.shell.command;

import io.carom.dma.DmaControl;
import io.carom.dma.PoolInfo;
import org.jspecify.annotations.Nullable;

/** The names of pools: with or without the PCI domain of the device that a pool belongs to. */
final class PoolNames {
  private static final String DOMAIN = "@0000:";

  private PoolNames() {}

  /** The full name of a pool, or null when there is none of that name. */
  static @Nullable String find(final DmaControl dma, final String name) {
    final String full = name.replace(DOMAIN, "@").replace("@", DOMAIN);
    for (final PoolInfo pool : dma.pools()) {
      if (pool.pool().equals(name) || pool.pool().equals(full)) {
        return pool.pool();
      }
    }
    return null;
  }
}
