package io.carom.dma.core;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.QuarantineInfo;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.dma.core.debug.DebugCore;
import io.carom.dma.core.device.DeviceDma;
import io.carom.dma.core.device.DeviceEvents;
import io.carom.dma.core.direct.DirectStrategy;
import io.carom.dma.core.jfr.SwapRecorder;
import io.carom.dma.core.lend.Lending;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.memory.RamSpace;
import io.carom.dma.core.memory.RestrictedPools;
import io.carom.dma.core.memory.RestrictedSpace;
import io.carom.dma.core.pool.Containment;
import io.carom.dma.core.pool.Outcalls;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.swap.CoreTimer;
import io.carom.dma.core.swap.Domains;
import io.carom.dma.core.swap.PoolStore;
import io.carom.dma.core.swap.Quarantines;
import io.carom.dma.core.swap.Registry;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.SwapControl;
import io.carom.dma.core.swap.SwapWatches;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.core.swap.TransitionView;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestIommu;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageLender;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The DMA core without OSGi: devices, strategies, and the change between them. Made by {@link
 * DmaCoreComponent}, by tests and by benchmarks.
 */
public final class DmaCore implements Dma, DmaControl, DeviceEvents, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(DmaCore.class);
  private static final long DIRECT_ID = -1;
  private static final int MOST_MAPPINGS = 100_000;

  /** How long a stop waits for memory to come back once nothing is mapped, milliseconds. */
  private static final long SWEEP_MS = 200;

  /** How long a stop waits for threads of the core beyond its deadline, milliseconds. */
  private static final long JOIN_MS = 300;

  private final CoreTables tables;
  private final PageAllocator pages;
  private final RestrictedPools restricted;
  private final Domains domains;
  private final Registry registry;
  private final PoolStore store;
  private final SwapControl control;
  private final TransitionView transitions;
  private final CoreTimer timer;
  private final Outcalls outcalls = Outcalls.onThreads();
  private volatile Runnable waker = () -> {};
  private volatile int limit;
  private final Reports reports;
  private final Lending lending;
  private final DebugCore debug;
  private final List<DeviceDma> devices = new CopyOnWriteArrayList<>();
  private int lastNumber;

  /**
   * A core over a guest's memory and pages.
   *
   * @throws IllegalArgumentException when there is not enough low RAM for the restricted pools
   */
  public DmaCore(
      final GuestMemory memory,
      final PageAllocator pages,
      final Settings settings,
      final Copier copier,
      final Timing timing) {
    this.pages = pages;
    tables = CoreTables.of(memory, copier);
    limits(settings);
    restricted = new RestrictedPools(memory, pages, tables.index(), tables.extentIds());
    restricted.apply(settings.restricted());
    final RamSpace ram = new RamSpace(memory, pages, tables.index(), tables.extentIds());
    final int cpus = Runtime.getRuntime().availableProcessors();
    outcalls.deadlineNs(TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs()));
    limit = settings.misbehaviourLimit();
    final Quarantines quarantines = new Quarantines();
    store =
        new PoolStore(
            ram,
            cpus,
            new Containment(outcalls, () -> limit, () -> waker.run(), quarantines::note));
    domains = new Domains(tables, pages, timing, cpus, store::pools);
    domains.devices(() -> devices);
    registry = new Registry(memory.confidential(), domains);
    control = new SwapControl(registry, store, restricted, domains, timing, settings);
    control.watches().add(new SwapRecorder());
    transitions = new TransitionView(control, timing);
    reports = new Reports(tables, domains::all);
    lending = new Lending(tables, store::pools);
    debug = new DebugCore(tables);
    registry.add(
        new StrategyRef(
            DirectStrategy.DIRECT,
            new DirectStrategy(),
            Integer.MIN_VALUE,
            "io.carom.dma.core",
            DIRECT_ID,
            0));
    timer =
        new CoreTimer(timing, tables.tick(), control, store, domains, quarantines, () -> devices);
    waker = timer::wake;
  }

  /** A strategy is there, or its configuration changed. */
  public void strategyAdded(final StrategyRef ref) {
    registry.add(ref);
    control.came(ref);
    devices.forEach(device -> control.reconcile(device, "service came"));
  }

  /** A strategy goes away; returns when nobody is in its code. */
  public void strategyRemoved(final long serviceId) {
    control.gone(serviceId, devices);
  }

  /**
   * The configuration changed.
   *
   * @throws IllegalArgumentException when there is not enough low RAM for the restricted pools;
   *     nothing was changed
   */
  public void settings(final Settings settings) {
    control.settings(settings);
    outcalls.deadlineNs(TimeUnit.MILLISECONDS.toNanos(settings.watchdogMs()));
    limit = settings.misbehaviourLimit();
    limits(settings);
    for (final DeviceDma device : devices) {
      device.mapper().lookup(settings.lookup());
      sayIfUnbound(device);
      control.reconcile(device, "configured");
    }
  }

  private void limits(final Settings settings) {
    tables
        .limits()
        .set(TimeUnit.MILLISECONDS.toNanos(settings.throttleMs()), settings.reachablePercent());
  }

  /** Says that a device does not get the restricted pool that is named for it. */
  private static void sayIfUnbound(final DeviceDma device) {
    final RestrictedSpace named = device.namedRestricted();
    if (named != null && device.restricted() == null && !device.isClosed()) {
      LOG.warn(
          "{}: it accepted VIRTIO_F_SWIOTLB, so it uses its own region and not the restricted pool"
              + " {}; take it out of restrictedPools of io.carom.dma.core",
          device.name(),
          named.name());
    }
  }

  /** The driver of the guest's IOMMU came, or went. */
  public void iommu(final @Nullable GuestIommu driver) {
    domains.iommu(driver);
    devices.forEach(
        device -> control.reconcile(device, driver == null ? "service gone" : "service came"));
  }

  /** Deadline of a stop, milliseconds. */
  public long stopMs() {
    return control.settings().stopMs();
  }

  /** Who is told of its swaps. */
  public SwapWatches watches() {
    return control.watches();
  }

  /** Its dma-debug. */
  public DebugCore debug() {
    return debug;
  }

  @Override
  public DmaDevice attach(final DmaDeviceSpec spec) {
    synchronized (this) {
      for (final DeviceDma device : devices) {
        if (device.name().equals(spec.name()) && !device.isClosed()) {
          throw new IllegalStateException("device " + spec.name() + " is attached already");
        }
      }
      for (final DeviceDma device : devices) {
        if (device.isClosed() && device.liveMappings() == 0) {
          forget(device);
        }
      }
      final DeviceDma made = new DeviceDma(spec, ++lastNumber, tables, pages, restricted, this);
      made.mapper().lookup(control.settings().lookup());
      domains.trust(made);
      devices.add(made);
      debug.attached(made);
      return made;
    }
  }

  @Override
  public void negotiated(final DeviceDma device) {
    sayIfUnbound(device);
    control.reset(device);
    control.settle(device);
  }

  @Override
  public void closed(final DeviceDma device) {
    debug.closed(device);
    control.closed(device);
    timer.forget(device);
    control.sweep();
    if (device.liveMappings() == 0) {
      forget(device);
    }
  }

  /** Forgets a closed device without mappings; what is held of its region stays as it is. */
  private void forget(final DeviceDma device) {
    synchronized (this) {
      devices.remove(device);
    }
    device.generations().forEach(device::end);
    control.forgotten(device);
    final var region = device.region();
    if (region != null) {
      tables.regions().close(region);
    }
  }

  @Override
  public List<StrategyInfo> strategies() {
    final List<StrategyInfo> result = new ArrayList<>();
    for (final StrategyRef ref : registry.refs()) {
      final List<String> users = new ArrayList<>();
      for (final DeviceDma device : devices) {
        if (ref.equals(store.refOf(device.mapper().current().pool))) {
          users.add(device.name());
        }
      }
      result.add(
          new StrategyInfo(
              ref.name(),
              List.copyOf(ref.strategy().extents()),
              ref.ranking(),
              ref.strategy().description(),
              ref.bundle(),
              users));
    }
    result.sort(Comparator.comparing(StrategyInfo::name));
    return result;
  }

  @Override
  public List<DmaDeviceInfo> devices() {
    final List<DmaDeviceInfo> result = new ArrayList<>();
    for (final DeviceDma device : devices) {
      result.add(reports.device(device, control.wanted(device)));
    }
    result.sort(Comparator.comparing(DmaDeviceInfo::device));
    return result;
  }

  @Override
  public List<PoolInfo> pools() {
    return store.infos();
  }

  @Override
  public CompletionStage<SwapReport> use(
      final String device, final String strategy, final SwapOptions options) {
    return control.use(find(device), strategy, options);
  }

  @Override
  public List<String> allowed(final String device) {
    return registry.names(find(device));
  }

  @Override
  public CompletionStage<SwapReport> cancel(final String device) {
    return control.cancel(find(device));
  }

  @Override
  public List<QuarantineInfo> quarantined() {
    return store.quarantined();
  }

  @Override
  public List<TransitionInfo> transitions() {
    return transitions.now(
        device -> reports.mappings(List.of(device), store.pools(), MOST_MAPPINGS));
  }

  @Override
  public List<SwapReport> history() {
    return control.history();
  }

  @Override
  public List<IovaPoolInfo> iovaPools() {
    return new DomainReports(store).of(domains.all());
  }

  @Override
  public PoolOccupancy occupancy(final String pool) {
    return reports.occupancy(devices, findPool(pool));
  }

  @Override
  public void resetHiwater(final @Nullable String pool) {
    if (pool != null) {
      findPool(pool).resetHiwater();
      return;
    }
    store.pools().forEach(Pool::resetHiwater);
    devices.forEach(DeviceDma::resetHiwater);
  }

  private Pool findPool(final String name) {
    final List<String> names = new ArrayList<>();
    Pool found = null;
    for (final Pool pool : store.pools()) {
      if (pool.extents() != null) {
        // One that is left over from a swap may have the name of the one in use.
        if ((pool.name().equals(name) || pool.name().equals(name.replace("@", "@0000:")))
            && (found == null || found.retired())) {
          found = pool;
        }
        names.add(pool.name());
      }
    }
    if (found != null) {
      return found;
    }
    throw new IllegalArgumentException(
        "unknown pool '" + name + "'; valid: " + String.join(", ", names));
  }

  @Override
  public List<MappingInfo> mappings(final @Nullable String device) {
    return reports.mappings(
        device == null ? devices : List.of(find(device)), store.pools(), MOST_MAPPINGS);
  }

  private DeviceDma find(final String name) {
    final List<String> names = new ArrayList<>();
    for (final DeviceDma device : devices) {
      if (!device.isClosed()) {
        if (device.name().equals(name) || device.name().equals("0000:" + name)) {
          return device;
        }
        names.add(device.name());
      }
    }
    throw new IllegalArgumentException(
        "unknown device '" + name + "'; valid: " + String.join(", ", names));
  }

  /** Generations that are not ended yet, of all devices; for tests. */
  int generations() {
    return tables.generations().count();
  }

  /** Lends what pools do not use. */
  public PageLender lender() {
    return lending;
  }

  /**
   * Stops: no map succeeds any more, and what is mapped is waited for until the configured deadline
   * of a stop. Then the threads end; unmaps of what is left still work, and its memory stays out of
   * use. Returns within that deadline and a second, unless an IOMMU does not answer.
   *
   * @return what holds it up at the deadline, one line for each device; each is logged
   */
  public List<String> stop() {
    return stop(control.settings().stopMs());
  }

  /** The mappings that live, one line for each device that has some. Waits for nothing. */
  public List<String> holding() {
    return holding(new Stopping(0));
  }

  private List<String> holding(final Stopping stopping) {
    return stopping.drain(
        devices, device -> reports.mappings(List.of(device), store.pools(), MOST_MAPPINGS));
  }

  private List<String> stop(final long milliseconds) {
    final Stopping stopping = new Stopping(milliseconds);
    control.halt(devices);
    final List<String> holding = holding(stopping);
    holding.forEach(line -> LOG.warn("the DMA core stops, and {}", line));
    // The timer still runs, and gives back the memory of pools that are empty.
    stopping.await(() -> !holding.isEmpty() || store.pools().isEmpty(), SWEEP_MS);
    lending.close();
    timer.close(Math.max(JOIN_MS, stopping.leftMs()));
    control.close(Math.max(JOIN_MS, stopping.leftMs()));
    domains.close();
    restricted.close();
    outcalls.close();
    return holding;
  }

  /** As {@link #stop}, but waits for no mapping. */
  @Override
  public void close() {
    stop(0);
  }
}
