package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.domain.PoolLeases;
import io.carom.dma.core.memory.ExtentSource;
import io.carom.dma.core.memory.RamSpace;
import io.carom.dma.core.memory.RestrictedSpace;
import io.carom.dma.core.pool.Containment;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.Extent;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens pools: which memory one is for, what it is called, and the instance of its strategy. */
final class PoolOpener {
  private static final Logger LOG = LoggerFactory.getLogger(PoolOpener.class);

  private final RamSpace ram;
  private final int cpus;
  private final Containment containment;

  PoolOpener(final RamSpace ram, final int cpus, final Containment containment) {
    this.ram = ram;
    this.cpus = cpus;
    this.containment = containment;
  }

  /**
   * The device or domain that a pool would belong to, or null when all devices of the choice share
   * it. The devices of an IOMMU domain share what is there; the memory of a restricted pool is one
   * pool, whatever the strategy prefers: it is shared by those who are bound to it.
   */
  static @Nullable Object owner(final DeviceDma device, final Choice choice) {
    if (choice.extents() == ExtentKind.IOVA) {
      return device.mapper().domain();
    }
    final boolean shared =
        choice.extents() != ExtentKind.DEVICE
            && (choice.extents() != ExtentKind.RAM
                || choice.restricted() != null
                || !choice.ref().strategy().perDevice());
    return shared ? null : device;
  }

  /**
   * Opens a pool, on a thread that can be given up.
   *
   * @throws NotReadyException when the strategy does not open, or does not return
   */
  PoolEntry open(final DeviceDma device, final Choice choice) {
    final ExtentKind kind = choice.extents();
    final RestrictedSpace restricted = choice.restricted();
    final Object owner = owner(device, choice);
    final String ownerName = owner == device ? device.name() : null;
    final DmaDomain domain = kind == ExtentKind.IOVA ? device.mapper().domain() : null;
    if (kind == ExtentKind.IOVA && domain == null) {
      throw new IllegalStateException(device.name() + " is in no IOMMU domain");
    }
    final ExtentSource source =
        kind == null
            ? null
            : domain != null
                ? domain.extents()
                : kind == ExtentKind.DEVICE
                    ? device.region()
                    : restricted != null ? restricted.sets() : ram;
    final String place =
        domain != null
            ? "domain" + domain.guest().id()
            : restricted != null ? restricted.name() : ownerName;
    final String name = choice.ref().name() + (place == null ? "" : "@" + place);
    final PoolLeases leases = domain == null ? null : domain.leases();
    final PoolSpec spec = spec(ownerName, choice, source, leases);
    final AtomicReference<@Nullable Pool> opened = new AtomicReference<>();
    final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    final Runnable ending = domain == null || leases == null ? () -> {} : () -> domain.end(leases);
    final String hang =
        containment
            .calls()
            .make(
                call -> {
                  StrategyInstance instance = null;
                  try {
                    instance = choice.ref().strategy().open(spec);
                    final Pool made =
                        new Pool(
                            name,
                            choice.ref().name(),
                            kind,
                            ownerName,
                            instance,
                            source,
                            domain == null ? null : domain.index(),
                            containment);
                    if (call.step(() -> opened.set(made))) {
                      return;
                    }
                  } catch (final RuntimeException | Error e) {
                    failure.set(e);
                  }
                  closeInVain(instance);
                  ending.run(); // here, as it is the last that may lease addresses
                });
    final Pool pool = opened.get();
    if (pool != null && hang == null) {
      return new PoolEntry(pool, choice, owner, source, ending);
    }
    final Throwable thrown = failure.get();
    throw new NotReadyException(
        choice.ref(),
        hang != null ? "open did not return: " + hang : thrown == null ? "" : thrown.getMessage(),
        thrown);
  }

  private static void closeInVain(final @Nullable StrategyInstance instance) {
    try {
      if (instance != null) {
        instance.close();
      }
    } catch (final RuntimeException | Error e) {
      LOG.debug("a strategy that was opened in vain does not close: {}", e.toString());
    }
  }

  private PoolSpec spec(
      final @Nullable String owner,
      final Choice choice,
      final @Nullable ExtentSource source,
      final @Nullable PoolLeases leases) {
    if (leases != null && source != null) {
      return new PoolSpec(owner, choice.extents(), source.capacity(), cpus, 0, 0, false, leases);
    }
    final long available = source == null ? 0 : source == ram ? ram.lowBytes() : source.capacity();
    // A restricted pool takes the whole of its memory, in one area as the kernel's.
    return choice.restricted() != null
        ? new PoolSpec(
            owner, choice.extents(), available, cpus, available >> Extent.SLOT_SHIFT, 1, true)
        : new PoolSpec(
            owner, choice.extents(), available, cpus, choice.slots(), choice.areas(), false);
  }
}
