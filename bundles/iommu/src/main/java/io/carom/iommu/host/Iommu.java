package io.carom.iommu.host;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuRecord;
import io.carom.iommu.IommuState;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.host.cost.CostClock;
import io.carom.iommu.host.cost.CostMeter;
import io.carom.iommu.host.endpoint.Endpoint;
import io.carom.iommu.host.endpoint.Endpoints;
import io.carom.iommu.host.endpoint.PortGate;
import io.carom.iommu.host.fault.FaultLog;
import io.carom.iommu.host.table.Domain;
import io.carom.iommu.host.table.Mapping;
import io.carom.iommu.host.table.PageBudget;
import io.carom.iommu.host.table.PhysicalSpace;
import io.carom.iommu.host.table.Pte;
import io.carom.pci.BusIommu;
import io.carom.pci.BusPorts;
import io.carom.pci.Translation;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The IOMMU that the VMM presents. Requests are answered with an {@link IommuStatus}; how they
 * travel is {@link IommuModel}'s business.
 *
 * <p><b>Locks.</b> One lock is held by each request from its begin to its end, waits for device
 * accesses and charged time included: the container's lock of a VMM. Device threads take no lock;
 * what they read is told at {@link Endpoint} and {@link io.carom.iommu.host.endpoint.Iotlb}. {@link
 * #translation} is called by the ports under their monitor, so it takes no lock either; whoever
 * changes what it answers does that first and tells the port second, so that a port that is opened
 * in between has asked after the change, or is told.
 *
 * <p><b>Unmapping</b> is: change the page table; drop what the caches of the attached endpoints
 * have of it; ask each port to wait for accesses that began before. Only then is the request
 * answered. An access that outlives the machine's deadline is answered DEVERR and counted; the
 * pages are unmapped, and every later UNMAP of the domain waits for that access again.
 *
 * <p><b>What is kept.</b> Each change of endpoints, domains and {@code bypass} is written to the
 * machine's record, in the order that {@link IommuRecord} tells, so that the next incarnation goes
 * on from it: it has rebuilt everything before the ports ask it. One whose record another has
 * claimed answers DEVERR, and changes neither record nor ports.
 *
 * <p>Decisions where the specification (virtio 1.4, IOMMU device) leaves them open:
 *
 * <ul>
 *   <li>MAP of what is not memory, without the MMIO flag: FAULT, as a VMM cannot pin it.
 *   <li>A write-only mapping cannot be read.
 *   <li>ATTACH of a domain out of range: RANGE; MAP and UNMAP of one that does not exist, out of
 *       range or not: NOENT; DETACH from one that the endpoint is not attached to: INVAL.
 *   <li>UNMAP beyond the input range: RANGE. An UNMAP need not be aligned, but must not split.
 *   <li>A reset keeps {@code bypass}, as the specification asks; a new IOMMU has the configured
 *       one.
 * </ul>
 */
public final class Iommu implements BusIommu {
  /** Last domain number. */
  public static final int LAST_DOMAIN = 0xffff;

  private final ReentrantLock lock = new ReentrantLock();
  private final IommuSettings settings;
  private final BusPorts ports;
  private final PhysicalSpace space;
  private final IommuRecord record;
  private final PortGate gate;
  private final FaultLog faults;
  private final Endpoints endpoints;
  private final CostMeter meter;
  private final PageBudget budget;
  private final NavigableMap<Integer, Domain> domains = new TreeMap<>();
  private final RequestCounters counters = new RequestCounters();
  private final @Nullable String refusal;
  private volatile Consumer<Throwable> failure = why -> {};
  private volatile boolean bypass;
  private int mappings;

  /**
   * An IOMMU that no port asks yet; it goes on from what its record has kept. Where that cannot be
   * understood nothing is attached, and what was is blocked.
   *
   * @param functions the names of the bus's functions now
   * @param clock who pays what the profile charges
   * @param nanoTime the time of faults
   * @param record what the machine keeps of it
   */
  public Iommu(
      final IommuSettings settings,
      final BusPorts ports,
      final Supplier<List<String>> functions,
      final PhysicalSpace space,
      final CostClock clock,
      final LongSupplier nanoTime,
      final IommuRecord record) {
    this.settings = settings;
    this.ports = ports;
    this.space = space;
    this.record = record;
    gate = new PortGate(ports, functions);
    faults = new FaultLog(nanoTime, settings.faultsPerSecond());
    endpoints = new Endpoints(gate, faults);
    meter = new CostMeter(clock, settings.profile());
    budget = new PageBudget(settings.maxTablePages());
    bypass = settings.bypass();
    refusal = restore(record.kept());
  }

  private @Nullable String restore(final @Nullable IommuState kept) {
    if (kept == null) {
      record.begin(IommuState.VERSION, settings.bypass());
      return null;
    }
    final Rebuild rebuild = new Rebuild(domains, endpoints, budget, space);
    final String why = rebuild.from(kept);
    if (why != null) {
      rebuild.hold(kept);
      record.begin(IommuState.VERSION, settings.bypass());
      kept.endpoints().forEach(endpoint -> record.detached(endpoint.port(), true));
      return why;
    }
    for (final Domain domain : domains.values()) {
      mappings += domain.count();
      counters.pinned(domain.pinned());
    }
    if (kept.configured() == settings.bypass()) {
      bypass = kept.bypass(); // as its driver has left it
    }
    record.goOn(IommuState.VERSION, settings.bypass());
    if (kept.bypass() != bypass) {
      record.bypass(bypass);
    }
    return null;
  }

  /** Why it could not go on from what was kept, in one line; null when it could, or had not to. */
  public @Nullable String refusal() {
    return refusal;
  }

  /** Puts it between functions and memory; false when an access outlived the machine's deadline. */
  public boolean start() {
    final boolean ended = ports.iommu(this);
    if (!ended) {
      lock.lock();
      try { // nobody knows which one it was: each is waited for again
        endpoints.all().forEach(endpoint -> endpoint.settled(false));
      } finally {
        lock.unlock();
      }
    }
    return ended;
  }

  /**
   * Takes it out: what it translated waits for the next one. Takes no lock, and is bounded,
   * whatever a request does.
   *
   * @return false when an access outlived the machine's deadline
   */
  public boolean stop() {
    return ports.away(this);
  }

  /** Who is told, once, when the machine has taken it out because its code threw; must not wait. */
  public void onFailure(final Consumer<Throwable> listener) {
    failure = listener;
  }

  @Override
  public void failed(final Throwable why) {
    failure.accept(why);
  }

  @Override
  public @Nullable Translation translation(final String port) {
    return endpoints.isOwn(port) ? null : translation(endpoints.of(port));
  }

  private @Nullable Translation translation(final Endpoint endpoint) {
    final Domain domain = endpoint.domain();
    final boolean passes = domain == null ? bypass && !endpoint.held() : domain.bypass();
    return passes ? null : endpoint;
  }

  /** ATTACH; {@code flags} have been checked. */
  int attach(final int number, final int endpointNumber, final boolean passes) {
    if (number < 0 || number > LAST_DOMAIN) {
      return IommuStatus.RANGE;
    }
    final Endpoint endpoint = endpoints.find(endpointNumber);
    if (endpoint == null) {
      return IommuStatus.NOENT;
    }
    final Domain known = domains.get(number);
    if (known != null && known.bypass() != passes) {
      return IommuStatus.INVAL;
    }
    final Domain old = endpoint.domain();
    if (old != null && old == known) {
      final int status = settle(endpoint);
      return record.attached(endpoint.port(), number, passes) ? status : IommuStatus.DEVERR;
    }
    final Domain domain = known == null ? new Domain(number, passes, budget, space) : known;
    domains.put(number, domain);
    final boolean ended = move(endpoint, domain, false);
    leave(old);
    final boolean kept = record.attached(endpoint.port(), number, passes);
    return ended && kept ? IommuStatus.OK : IommuStatus.DEVERR;
  }

  /** DETACH. */
  int detach(final int number, final int endpointNumber) {
    final Endpoint endpoint = endpoints.find(endpointNumber);
    if (endpoint == null) {
      return IommuStatus.NOENT;
    }
    final Domain domain = domains.get(number);
    if (domain == null || endpoint.domain() != domain) {
      return IommuStatus.INVAL;
    }
    if (!record.detached(endpoint.port(), false)) {
      return IommuStatus.DEVERR;
    }
    final boolean ended = move(endpoint, null, false);
    leave(domain);
    return ended ? IommuStatus.OK : IommuStatus.DEVERR;
  }

  /** Changes what an endpoint's accesses are translated by, and waits for those before. */
  private boolean move(final Endpoint endpoint, final @Nullable Domain domain, final boolean hold) {
    endpoint.move(domain, hold);
    meter.invalidation();
    counters.invalidated();
    return endpoint.settled(gate.translation(this, endpoint.port(), translation(endpoint)));
  }

  /** An endpoint has left a domain, which ends with the last. */
  private void leave(final @Nullable Domain domain) {
    if (domain != null && endpoints.attached(domain).isEmpty()) {
      domains.remove(domain.number());
      mappings -= domain.count();
      counters.unpinned(domain.pinned());
      domain.dispose();
    }
  }

  /** MAP; {@code flags} have been checked. */
  int map(
      final int number, final long start, final long last, final long physical, final int flags) {
    meter.map();
    final Domain domain = domains.get(number);
    if (domain == null) {
      return IommuStatus.NOENT;
    }
    final int refusal = refusal(domain, start, last, physical);
    if (refusal != IommuStatus.OK) {
      return refusal;
    }
    if (mappings >= settings.maxMappings()) {
      return IommuStatus.NOMEM;
    }
    final Mapping mapping = new Mapping(start, last, physical, flags);
    final int status = domain.map(mapping);
    if (status == IommuStatus.OK) {
      mappings++;
      counters.pinned(mapping.pinned());
      meter.pinned(mapping.pinned());
      return record.mapped(number, start, last, physical, flags)
          ? IommuStatus.OK
          : IommuStatus.DEVERR;
    } else if (status == IommuStatus.NOMEM) { // a part of it was there for a while
      invalidate(domain, start, last, true);
    }
    return status;
  }

  private int refusal(final Domain domain, final long start, final long last, final long physical) {
    if (domain.bypass() || Long.compareUnsigned(last, start) < 0) {
      return IommuStatus.INVAL;
    }
    // last + 1 may wrap to 0, which is aligned; such a range ends beyond the input range.
    if (((start | physical | (last + 1)) & (Pte.GRANULE - 1)) != 0 || outside(start, last)) {
      return IommuStatus.RANGE;
    }
    // Behind this test last - start < 2^48, and physical is below 2^52 with the rest of the run.
    if (physical < 0 || physical > (1L << PhysicalSpace.BITS) - (last - start) - 1) {
      return IommuStatus.RANGE;
    }
    for (final ReservedRange range : settings.reserved()) {
      if (start <= range.end() && last >= range.start()) {
        return IommuStatus.INVAL;
      }
    }
    return domain.overlaps(start, last) ? IommuStatus.INVAL : IommuStatus.OK;
  }

  private boolean outside(final long start, final long last) {
    return Long.compareUnsigned(start, settings.inputStart()) < 0
        || Long.compareUnsigned(last, settings.inputEnd()) > 0;
  }

  /** UNMAP. */
  int unmap(final int number, final long start, final long last) {
    meter.unmap();
    final Domain domain = domains.get(number);
    if (domain == null) {
      return IommuStatus.NOENT;
    }
    if (domain.bypass() || Long.compareUnsigned(last, start) < 0) {
      return IommuStatus.INVAL;
    }
    if (outside(start, last) || domain.splits(start, last)) {
      return IommuStatus.RANGE;
    }
    if (!record.unmapped(number, start, last)) {
      return IommuStatus.DEVERR;
    }
    final long before = domain.pinned();
    final int gone = domain.unmap(start, last);
    final long unpinned = before - domain.pinned();
    mappings -= gone;
    counters.unpinned(unpinned);
    meter.unpinned(unpinned);
    return invalidate(domain, start, last, gone > 0) ? IommuStatus.OK : IommuStatus.DEVERR;
  }

  /**
   * Drops what endpoints have cached of a range, and waits for their accesses.
   *
   * @param changed whether there was anything; else only endpoints are waited for that were late
   * @return false when an access has not ended in time
   */
  private boolean invalidate(
      final Domain domain, final long start, final long last, final boolean changed) {
    if (changed) {
      meter.invalidation();
      counters.invalidated();
    }
    boolean ended = true;
    for (final Endpoint endpoint : endpoints.all()) {
      if (endpoint.domain() == domain && (changed || endpoint.unsettled())) {
        endpoint.invalidate(start, last);
        ended &= settle(endpoint) == IommuStatus.OK;
      }
    }
    return ended;
  }

  private int settle(final Endpoint endpoint) {
    final boolean idle = endpoint.number() == Endpoints.HOST_BRIDGE; // it does no DMA
    return endpoint.settled(idle || gate.invalidated(endpoint.port()))
        ? IommuStatus.OK
        : IommuStatus.DEVERR;
  }

  /** What was changed last, if that cannot be done twice; see {@link IommuRecord#last}. */
  IommuState.@Nullable Change lastChange() {
    return record.last();
  }

  /** The port of an endpoint that a request can name, or null. */
  @Nullable String port(final int endpointNumber) {
    final Endpoint endpoint = endpoints.find(endpointNumber);
    return endpoint == null ? null : endpoint.port();
  }

  /** Whether an endpoint exists. */
  boolean exists(final int endpointNumber) {
    return endpoints.find(endpointNumber) != null;
  }

  /**
   * Detaches everything: the domains end.
   *
   * @param hold whether what was translated is blocked until it is attached anew, as when the guest
   *     lost its way to the IOMMU; else it is what an endpoint is that is attached to nothing
   */
  void detachAll(final boolean hold) {
    lock.lock();
    try {
      boolean moved = false;
      for (final Endpoint endpoint : endpoints.all()) {
        final Domain domain = endpoint.domain();
        if (domain != null) {
          final boolean blocked = hold && !domain.bypass();
          record.detached(endpoint.port(), blocked);
          move(endpoint, null, blocked);
          leave(domain);
          moved = true;
        }
      }
      if (moved) {
        record.settled(); // no request asked for this
        meter.settle();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether endpoints that are attached to nothing pass. */
  public boolean bypass() {
    return bypass;
  }

  /** Changes whether endpoints that are attached to nothing pass. */
  public void bypass(final boolean on) {
    lock.lock();
    try {
      if (bypass != on && record.bypass(on)) {
        bypass = on;
        for (final Endpoint endpoint : endpoints.all()) {
          if (endpoint.domain() == null && !endpoints.isOwn(endpoint.port())) {
            endpoint.settled(gate.translation(this, endpoint.port(), translation(endpoint)));
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Changes what requests cost from now on.
   *
   * @throws IllegalArgumentException when it asks for another input range
   */
  public void profile(final CostProfile profile) {
    if (settings.withProfile(profile).inputStart() != settings.inputStart()) {
      throw new IllegalArgumentException(
          "profile=" + profile.name() + " has another input range; make a new IOMMU");
    }
    lock.lock();
    try {
      meter.profile(profile);
    } finally {
      lock.unlock();
    }
  }

  /** What it was made with. */
  public IommuSettings settings() {
    return settings;
  }

  /** Held by requests, and by whoever looks at what they change. */
  ReentrantLock lock() {
    return lock;
  }

  NavigableMap<Integer, Domain> domains() {
    return domains;
  }

  Endpoints endpoints() {
    return endpoints;
  }

  PortGate gate() {
    return gate;
  }

  FaultLog faults() {
    return faults;
  }

  CostMeter meter() {
    return meter;
  }

  RequestCounters counters() {
    return counters;
  }

  /** Nodes of all page tables. */
  int tablePages() {
    return budget.used();
  }

  /** Accesses that outlived the machine's deadline. */
  public long lateAccesses() {
    return gate.late();
  }
}
