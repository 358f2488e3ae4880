package io.carom.dma.core.swap;

import io.carom.dma.ExtentKind;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.domain.LiveRanges;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.memory.PlatformSync;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.MappingRecord;
import io.carom.dma.core.pool.Pool;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The IOMMU domains: which device has which, from its first IOMMU strategy to its reset. Changes
 * are made under the structure lock of the device; domains that nobody uses any more are ended by
 * the timer.
 */
public final class Domains {
  private static final Logger LOG = LoggerFactory.getLogger(Domains.class);

  /** How long the driver of an IOMMU that does not answer any more may take to go. */
  private static final long LEAVING_NS = 1_000_000_000L;

  private static final long LEAVING_PAUSE_NS = 2_000_000;
  private static final int LOW_MEMORY_SHIFT = 5; // a 32nd of all pages

  private final CoreTables tables;
  private final PageAllocator pages;
  private final Timing timing;
  private final int stripes;
  private final Supplier<List<Pool>> pools;
  private final List<DmaDomain> domains = new CopyOnWriteArrayList<>();
  private volatile @Nullable GuestIommu iommu;
  private volatile IommuSettings settings = IommuSettings.NONE;
  private volatile Supplier<List<DeviceDma>> devices = List::of;

  /** No domains. */
  public Domains(
      final CoreTables tables,
      final PageAllocator pages,
      final Timing timing,
      final int cpus,
      final Supplier<List<Pool>> pools) {
    this.tables = tables;
    this.pages = pages;
    this.timing = timing;
    this.pools = pools;
    stripes = Integer.highestOneBit(Math.max(1, 2 * cpus - 1)); // the power of two at or above
  }

  /** Sets who knows the devices. */
  public void devices(final Supplier<List<DeviceDma>> value) {
    devices = value;
  }

  /** The driver of the IOMMU came, or went. */
  public void iommu(final @Nullable GuestIommu driver) {
    iommu = driver;
  }

  /** The driver, or null. */
  @Nullable GuestIommu iommu() {
    return iommu;
  }

  /** The configuration changed; groups hold for domains that are made from now on. */
  public void settings(final IommuSettings next) {
    settings = next;
    devices.get().forEach(this::trust);
  }

  /** Tells a device whether it is trusted. */
  public void trust(final DeviceDma device) {
    device.mapper().untrusted(settings.isUntrusted(device.name()));
  }

  /** The domains. */
  public List<DmaDomain> all() {
    return domains;
  }

  /** Why a device may not have a strategy that works in a domain, or null. */
  @Nullable String refusal(final DeviceDma device) {
    final GuestIommu driver = iommu;
    if (driver == null) {
      return "there is no IOMMU; enabled=true of io.carom.iommu gives the machine one";
    }
    if (!device.negotiation().accessPlatform()) {
      return "the device did not accept ACCESS_PLATFORM, so no IOMMU translates its addresses";
    }
    if (!driver.serves(device.name())) {
      return "no IOMMU stands before the device";
    }
    if (tables.memory().confidential()) {
      return "guest memory is confidential (io.carom.machine confidential=true), so the IOMMU"
          + " cannot reach the pages that it would map";
    }
    if (device.restricted() != null) {
      return "restrictedPools of io.carom.dma.core binds the device to a pool in RAM";
    }
    return device.mapper().domain() == null && !device.isFresh() && !coversRam(driver)
        ? "the IOMMU's addresses "
            + Long.toHexString(driver.inputStart())
            + ".."
            + Long.toHexString(driver.inputEnd())
            + " leave RAM out, so live mappings cannot go on; configure the strategy before the"
            + " device is used"
        : null;
  }

  /** Why a device may not leave the domain's strategies, or null. */
  @Nullable String refusalToLeave(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    return domain != null && domain.guest().alive() && !coversRam(domain.iommu())
        ? "the IOMMU's addresses leave RAM out, so it cannot be mapped one to one; reset the device"
        : null;
  }

  private boolean coversRam(final GuestIommu driver) {
    for (final long[] run : new PlatformSync(tables.memory()).busRuns()) {
      if (Long.compareUnsigned(run[0], driver.inputStart()) < 0
          || Long.compareUnsigned(run[0] + run[1] - 1, driver.inputEnd()) > 0) {
        return false;
      }
    }
    return true;
  }

  /**
   * The domain that a device shall enter: the one that it is in, unless all of RAM is open there
   * and nothing else is; then a new one, as single pages of large windows cannot be closed. It is
   * the device's from now on, so that nobody ends it before the device is attached.
   *
   * @throws IllegalStateException when the IOMMU gives none; nothing was changed
   */
  DmaDomain toEnter(final DeviceDma device) {
    final GuestIommu driver = iommu;
    try {
      return enter(device);
    } catch (final IllegalStateException e) {
      throw explained(device, driver, e);
    }
  }

  private synchronized DmaDomain enter(final DeviceDma device) {
    final DmaDomain found = find(device);
    device.mapper().domain(found);
    return found;
  }

  /**
   * What to tell of a request that failed. Requests wait while the IOMMU is away, as it may come
   * back; when it does not they fail, and its driver goes a moment later: then that is the reason.
   */
  private IllegalStateException explained(
      final DeviceDma device, final @Nullable GuestIommu driver, final IllegalStateException e) {
    if (driver == null
        || !(e.getCause() instanceof final IommuException refused)
        || refused.status() != IommuStatus.DEVERR) {
      return e;
    }
    final long deadline = timing.nanoTime() + LEAVING_NS;
    while (iommu == driver && timing.nanoTime() - deadline < 0) {
      timing.pause(LEAVING_PAUSE_NS);
    }
    return iommu == driver
        ? e
        : new IllegalStateException(
            device.name() + ": there is no IOMMU any more: " + refused.getMessage(), e);
  }

  private DmaDomain find(final DeviceDma device) {
    final DmaDomain now = device.mapper().domain();
    if (now != null
        && (!now.windows().isOpen() || now.devices().size() > 1 || !now.isIdle())
        && now.guest().alive()) {
      return now;
    }
    final Set<String> group = settings.groupOf(device.name());
    for (final DmaDomain domain : domains) {
      if (domain != now
          && domain.guest().alive()
          && !domain.devices().isEmpty()
          && group.containsAll(domain.devices())) {
        reserve(device, domain);
        return domain;
      }
    }
    return create(device);
  }

  /** Takes what the IOMMU reserves for a device that joins out of the domain's addresses. */
  private static void reserve(final DeviceDma device, final DmaDomain domain) {
    try {
      for (final ReservedRange range : domain.iommu().reserved(device.name())) {
        if (!domain.addresses().reserve(range.start(), range.end())) {
          throw new IllegalStateException(
              device.name()
                  + ": addresses that the IOMMU reserves for it, "
                  + Long.toHexString(range.start())
                  + ".."
                  + Long.toHexString(range.end())
                  + ", are in use in its group's domain; configure its strategy before theirs");
        }
      }
    } catch (final IommuException e) {
      throw new IllegalStateException(device.name() + ": no reserved ranges: " + e.getMessage(), e);
    }
  }

  private DmaDomain create(final DeviceDma device) {
    final GuestIommu driver = iommu;
    if (driver == null) {
      throw new IllegalStateException(device.name() + ": there is no IOMMU");
    }
    try {
      final List<long[]> reserved = new ArrayList<>();
      for (final ReservedRange range : driver.reserved(device.name())) {
        reserved.add(new long[] {range.start(), range.end()});
      }
      final DmaDomain made =
          new DmaDomain(
              driver,
              tables.memory(),
              pages,
              tables.extentIds(),
              reserved,
              stripes,
              timing::nanoTime);
      domains.add(made);
      return made;
    } catch (final IommuException | IllegalArgumentException e) { // refused, or no room for any
      throw new IllegalStateException(device.name() + ": no IOMMU domain: " + e.getMessage(), e);
    }
  }

  /**
   * Opens windows for what lives of a device, and for its coherent memory, and attaches it. Its
   * maps open windows of their own meanwhile ({@code covering}), and those that do not have records
   * that are visible.
   *
   * @throws IllegalStateException when the IOMMU refuses
   */
  void attach(final DeviceDma device, final DmaDomain domain) {
    int status = domain.windows().coverLive(live -> collect(live, domain, device));
    for (final long[] run : device.coherentRuns()) {
      if (status == IommuStatus.OK) {
        status = domain.windows().coherent(run[0], run[1]);
      }
    }
    if (status != IommuStatus.OK) {
      freeCoherent(device, domain);
      throw new IllegalStateException(
          device.name() + ": the IOMMU opens no windows: " + IommuStatus.name(status));
    }
    try {
      domain.attach(device.name());
    } catch (final IommuException e) {
      freeCoherent(device, domain);
      throw explained(
          device,
          domain.iommu(),
          new IllegalStateException(device.name() + ": not attached: " + e.getMessage(), e));
    }
  }

  /**
   * Lets a device of a domain reach all of RAM.
   *
   * @throws IllegalStateException when the IOMMU refuses
   */
  static void open(final DeviceDma device, final DmaDomain domain) {
    if (!domain.guest().alive()) {
      return; // nothing that can be done, and nothing to lose
    }
    final int status = domain.windows().open(device.name());
    if (status != IommuStatus.OK) {
      throw new IllegalStateException(
          device.name() + ": the IOMMU does not map RAM one to one: " + IommuStatus.name(status));
    }
  }

  /** A device needs all of RAM no more: the windows close if no other one of the domain does. */
  void close(final DeviceDma device, final DmaDomain domain) {
    domain.windows().close(device.name());
    sweep(domain);
  }

  /** Opens windows for what lives of a device that has entered a domain. */
  void cover(final DeviceDma device, final DmaDomain domain) {
    final int status = domain.windows().coverLive(live -> collect(live, domain, device));
    if (status != IommuStatus.OK) {
      LOG.warn(
          "{}: the IOMMU opens no windows: {}; some of its old mappings fault",
          device.name(),
          IommuStatus.name(status));
    }
  }

  private static void freeCoherent(final DeviceDma device, final DmaDomain domain) {
    for (final long[] run : device.coherentRuns()) {
      domain.windows().freed(run[0]);
    }
  }

  /** Whether a device must be attached to reach anything at all. */
  boolean needsDomain(final DeviceDma device) {
    final GuestIommu driver = iommu;
    return driver != null
        && !driver.bypass()
        && device.negotiation().accessPlatform()
        && !device.negotiation().swiotlb()
        && driver.serves(device.name());
  }

  /** A device is gone or was reset: it leaves its domain. */
  void leave(final DeviceDma device) {
    final DmaDomain domain = device.mapper().domain();
    if (domain != null) {
      device.mapper().domain(null);
      domain.detach(device.name());
      domain.windows().close(device.name());
      freeCoherent(device, domain);
    }
  }

  /** Closes windows that have drained; returns how many are left. */
  int sweep(final DmaDomain domain) {
    return domain.windows().sweep(live -> collect(live, domain, null));
  }

  /** Flushes queues that are due; whether anything waits in one. */
  boolean flushDue() {
    boolean waiting = false;
    for (final DmaDomain domain : domains) {
      domain.flushes().tick(timing.nanoTime());
      waiting |= domain.flushes().queued() != 0;
    }
    return waiting;
  }

  /** What the timer does: windows, want of memory, and domains that nobody uses. */
  void tick() {
    final GuestMemory memory = tables.memory();
    final boolean low =
        !domains.isEmpty()
            && memory.pageMap().freePages() < memory.pageMap().totalPages() >> LOW_MEMORY_SHIFT;
    devices.get().forEach(this::leaveIfOver);
    for (final DmaDomain domain : List.copyOf(domains)) {
      if (domain.windows().mayClose()) {
        sweep(domain);
      }
      if (domain.extents().wasShort() || low) {
        pools.get().stream().filter(p -> p.index() == domain.index()).forEach(Pool::shrink);
      }
      if (end(domain)) {
        domain.close();
        LOG.debug("IOMMU domain {} ended", domain.guest().id());
      }
    }
  }

  /** A device that was closed with mappings leaves its domain when the last one has ended. */
  private void leaveIfOver(final DeviceDma device) {
    if (device.isClosed()
        && device.mapper().domain() != null
        && device.liveMappings() == 0
        && device.structure().tryLock()) {
      try {
        leave(device);
      } finally {
        device.structure().unlock();
      }
    }
  }

  /** Takes a domain out that nobody uses, unless a device begins to just now. */
  private synchronized boolean end(final DmaDomain domain) {
    return domain.devices().isEmpty() && isUnused(domain) && domains.remove(domain);
  }

  private boolean isUnused(final DmaDomain domain) {
    for (final DeviceDma device : devices.get()) {
      if (device.mapper().domain() == domain) {
        return false;
      }
    }
    return domain.isIdle() && pools.get().stream().noneMatch(p -> p.index() == domain.index());
  }

  /** Collects what lives of a domain's devices at bus addresses of RAM. */
  private void collect(
      final LiveRanges live, final DmaDomain domain, final @Nullable DeviceDma entering) {
    final long granule = domain.granuleMask() + 1;
    tables
        .passes()
        .visit(
            (bus, size, direction, generation, count, tick) -> {
              if (isOf(generation, domain, entering)) {
                live.add(bus, size, granule);
              }
            });
    for (final Pool pool : pools.get()) {
      if (pool.extents() != ExtentKind.RAM) {
        continue;
      }
      for (final ExtentState extent : pool.grantedNow()) {
        for (final MappingRecord record : extent.records()) {
          if (MappingRecord.isMapping(record.state())
              && isOf(record.generation(), domain, entering)) {
            live.add(record.busAddress, record.size, granule);
          }
        }
      }
    }
  }

  private boolean isOf(
      final int number, final DmaDomain domain, final @Nullable DeviceDma entering) {
    final Generation generation = tables.generations().get(number);
    if (generation == null) {
      return false;
    }
    if (entering != null && generation.device == entering.number()) {
      return true;
    }
    for (final DeviceDma device : devices.get()) {
      if (device.number() == generation.device) {
        return device.mapper().domain() == domain;
      }
    }
    return false;
  }

  /** Ends all domains: the core stops. */
  public void close() {
    for (final DmaDomain domain : domains) {
      domain.flushes().flushAll();
    }
  }
}
