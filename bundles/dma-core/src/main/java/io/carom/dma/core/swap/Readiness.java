package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a device ready for its next generation: the pool, its first extents, and the IOMMU domain
 * that it needs. Under the device's structure lock.
 */
final class Readiness {
  private static final Logger LOG = LoggerFactory.getLogger(Readiness.class);

  private final PoolStore store;
  private final Domains domains;

  Readiness(final PoolStore store, final Domains domains) {
    this.store = store;
    this.domains = domains;
  }

  /** Whether what a generation places is still legal for the device, and is bounced. */
  boolean mayLend(final DeviceDma device, final Generation lender, final Generation next) {
    final Pool pool = lender.pool;
    if (pool == null
        || !pool.callable()
        || pool.extents() == null
        || pool.extents() == ExtentKind.IOVA
        || next.extents() == ExtentKind.IOVA) {
      return false;
    }
    final Choice choice = store.choiceOf(pool);
    return choice != null
        && choice.restricted() == device.restricted()
        && (pool.extents() == ExtentKind.DEVICE || !device.negotiation().swiotlb());
  }

  /**
   * Makes the next generation ready, with the domain that it needs.
   *
   * <p>A device that enters a domain has mappings by bus address, and goes on making some until the
   * next generation is published. So from now on each map opens a window before it returns; a grace
   * makes the records of all that do not yet visible; windows are opened for those and for coherent
   * memory; then the device is attached. Nothing of this is waited for inside the grace. One that
   * leaves for strategies without addresses of their own first has all of RAM opened.
   */
  Generation enterAndPrepare(
      final DeviceDma device,
      final @Nullable Choice choice,
      final Generation old,
      final long watchdogNs) {
    final DmaDomain before = device.mapper().domain();
    if (choice == null || choice.extents() != ExtentKind.IOVA) {
      final boolean wasOpen = before != null && before.windows().isOpen(device.name());
      openForLeaving(device, choice, before);
      try {
        return prepare(device, choice, old.pool);
      } catch (final IllegalStateException e) {
        if (before != null && !wasOpen) {
          domains.close(device, before); // it stays where it is, behind the IOMMU
        }
        throw e;
      }
    }
    final DmaDomain domain = domains.toEnter(device);
    if (domain == before) {
      return prepare(device, choice, old.pool);
    }
    try {
      final Generation next = prepare(device, choice, old.pool);
      try {
        enter(device, domain, old, watchdogNs);
      } catch (final IllegalStateException e) {
        discard(device, next);
        throw e;
      }
      if (before != null) {
        before.devices().remove(device.name()); // attaching it elsewhere has detached it
        before.windows().close(device.name());
      }
      return next;
    } catch (final IllegalStateException e) {
      device.mapper().covering(false);
      device.mapper().domain(before);
      throw e;
    }
  }

  private void enter(
      final DeviceDma device, final DmaDomain domain, final Generation old, final long watchdogNs) {
    device.mapper().covering(true);
    if (old.pool != null) {
      old.pool.grace(watchdogNs);
    }
    domains.attach(device, domain);
  }

  /** Before maps go to a strategy by bus address, all of RAM must be within reach. */
  private void openForLeaving(
      final DeviceDma device, final @Nullable Choice choice, final @Nullable DmaDomain domain) {
    if (choice == null) {
      return;
    }
    if (domain != null) {
      Domains.open(device, domain);
    } else if (domains.needsDomain(device)) {
      final DmaDomain made = domains.toEnter(device);
      try {
        Domains.open(device, made);
        domains.attach(device, made);
      } catch (final IllegalStateException e) {
        made.windows().close(device.name());
        device.mapper().domain(null);
        throw e;
      }
    }
  }

  /**
   * Makes the domain right for a generation that becomes current again. One with addresses of the
   * domain needs the domain that its pool works in, and finds its windows closed as they drain; one
   * without needs all of RAM.
   *
   * @return whether all of RAM was opened for it, which {@link #leaveAgain} undoes
   * @throws IllegalStateException when that cannot be; nothing was changed
   */
  boolean enterAgain(final DeviceDma device, final Generation old, final Generation next) {
    final DmaDomain domain = device.mapper().domain();
    final Pool pool = old.pool;
    if (old.extents() == ExtentKind.IOVA) {
      if (pool == null || domain == null || pool.index() != domain.index()) {
        throw new IllegalStateException(
            device.name()
                + " has left the IOMMU domain that "
                + Transition.nameOf(old)
                + " works in");
      }
    } else if (next.extents() == ExtentKind.IOVA
        && domain != null
        && !domain.windows().isOpen(device.name())) {
      Domains.open(device, domain);
      return true;
    }
    return false;
  }

  /** Undoes what {@link #enterAgain} opened in vain. */
  void leaveAgain(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null) {
      domains.close(device, domain);
    }
  }

  /** A generation that was made in vain. */
  void discard(final DeviceDma device, final Generation next) {
    device.end(next);
    if (next.pool != null) {
      next.pool.detach();
    }
  }

  /**
   * Behind the grace: windows are opened no more, and those that nothing needs may close. A map
   * that made its record after the device was attached may only now look whether it is to open a
   * window: so they are opened for all records once more before it is told that it is not.
   */
  void settleDomain(final DeviceDma device, final Generation next) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null && device.mapper().covering()) {
      domains.cover(device, domain);
    }
    device.mapper().covering(false);
    if (domain == null || next.pool == null) {
      return;
    }
    if (next.extents() == ExtentKind.IOVA) {
      domain.flushes().change(next.pool.flushPlan());
      domains.close(device, domain);
    }
  }

  /** Makes the next generation completely ready. */
  Generation prepare(
      final DeviceDma device, final @Nullable Choice choice, final @Nullable Pool yields) {
    final int number = device.nextGeneration();
    if (choice == null) {
      return new Generation(device.number(), number, null, null, 0);
    }
    final Pool pool = store.acquire(device, choice, yields);
    final long most;
    try {
      most = pool.maxMappingSize(device.spec().minAlignMask());
    } catch (final IllegalStateException e) {
      pool.detach();
      throw new NotReadyException(choice.ref(), e.getMessage(), e);
    }
    final Generation next =
        new Generation(device.number(), number, choice.ref().name(), pool, most);
    device.begin(next);
    return next;
  }

  /** Closes windows that have drained. */
  void sweep(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null && domain.windows().mayClose()) {
      domains.sweep(domain);
    }
  }

  /** A strategy that leaves leaves no invalidation undone, and no window that nothing needs. */
  void flush(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null) {
      domain.flushes().flushAll();
      sweep(device);
    }
  }

  /** As {@link #settleDomain}; says what went wrong, or null. */
  @Nullable String settled(final DeviceDma device, final Generation now) {
    try {
      settleDomain(device, now);
      return null;
    } catch (final RuntimeException e) {
      LOG.error("{}: its IOMMU domain is not settled", device.name(), e);
      return "IOMMU domain: " + e;
    }
  }

  /** As {@link #flush}; says what went wrong, or null. */
  @Nullable String flushed(final DeviceDma device) {
    try {
      flush(device);
      return null;
    } catch (final RuntimeException e) {
      LOG.error("{}: its IOMMU domain is not flushed", device.name(), e);
      return "flush: " + e;
    }
  }
}
