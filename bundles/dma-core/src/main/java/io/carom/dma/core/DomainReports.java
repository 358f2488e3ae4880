package io.carom.dma.core;

import io.carom.dma.IovaPoolInfo;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.swap.PoolStore;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Turns the domains and the pools in them into the records that people see. */
final class DomainReports {
  private static final double NS_PER_US = 1e3;

  private final PoolStore store;

  DomainReports(final PoolStore store) {
    this.store = store;
  }

  /** A record for each pool of each domain; a domain without a pool has one too. */
  List<IovaPoolInfo> of(final List<DmaDomain> domains) {
    final List<IovaPoolInfo> result = new ArrayList<>();
    for (final DmaDomain domain : domains) {
      boolean any = false;
      for (final Pool pool : store.pools()) {
        if (pool.index() == domain.index()) {
          any = true;
          result.add(info(domain, pool));
        }
      }
      if (!any) {
        result.add(info(domain, null));
      }
    }
    return result;
  }

  private static IovaPoolInfo info(final DmaDomain domain, final @Nullable Pool pool) {
    return new IovaPoolInfo(
        domain.guest().id(),
        pool == null ? "none" : pool.strategy(),
        pool == null ? "IDLE" : pool.info().state(),
        List.copyOf(domain.devices()),
        domain.windows().isOpen(),
        domain.windows().pages(),
        domain.windows().coherentPages(),
        domain.remaps().size(),
        pool == null ? List.of() : pool.classes(),
        domain.extents().pagesHeld(),
        domain.flushes().queued(),
        domain.flushes().flushes(),
        domain.flushes().longestOpenNs() / NS_PER_US,
        domain.extents().leakedBytes() + domain.addresses().leakedBytes());
  }
}
