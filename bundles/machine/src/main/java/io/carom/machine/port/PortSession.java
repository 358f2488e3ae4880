package io.carom.machine.port;

import io.carom.machine.platform.CipherRuns;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import io.carom.pci.PortCounters;
import io.carom.pci.PortWatch;
import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One thread's sections on a port.
 *
 * <p><b>The protocol</b> (Dekker's). {@code section} counts up at the begin and at the end of every
 * section, so it is odd inside; only the session's thread writes it. Beginning is: store the odd
 * number, volatile; then load the port's route, volatile; then use that route until the end.
 * Changing a route is: store the new route, volatile; then load every session's {@code section},
 * volatile, and wait while it is odd and still the number that was seen.
 *
 * <p>All four are volatile, so there is one order of them that both sides agree on. If the changer
 * does not see the section, its load came before the session's store, so the session's load of the
 * route comes after the changer's store of it: the section runs on the new route, and sees all that
 * was written before it was published, such as pages turned private. If the changer sees it, it
 * waits for the number to change; the end is a release store, so the section's accesses are over
 * when the changer has read it. Sections that begin while it waits have other numbers and are not
 * waited for: the wait is bounded by the length of one section of each session. Nor is one that has
 * begun on the new route by the time it is looked at; {@code begun} says so, and versions grow, so
 * a value of the section before can only make the changer wait for nothing.
 *
 * <p>A session opened while a route is being published is either in the list that the changer reads
 * or is opened after the publication: both go through the port's monitor.
 *
 * <p>While the IOMMU is away sections do not begin on ports that it translated, see {@link
 * StandIn}.
 *
 * <p>Counters are written by the session's thread only, and read by anyone: opaque accesses, which
 * cost what plain ones do, keep them whole.
 */
final class PortSession extends SectionPadding implements BusSession {
  private static final int SPINS = 200;
  private static final long PARK_NANOS = 20_000;
  private static final VarHandle SECTION = field("section");
  private static final VarHandle BEGUN = field("begun");
  private static final VarHandle OWN = field("ownAccesses");
  private static final VarHandle SYSTEM = field("systemAccesses");
  private static final VarHandle FAULTED = field("faultedAccesses");

  private final DevicePort port;
  private final BusTarget target;
  private final long epoch;
  private final @Nullable UsedPages used;
  private final @Nullable CipherRuns cipherRuns;
  private final BusRun slice = new BusRun();
  private boolean closed;
  private @Nullable Route current; // null outside sections
  private long section;

  @SuppressWarnings("UnusedVariable") // read by its handle
  private long begun; // version of the route that the last section began on

  private volatile boolean parked; // inside, for the next IOMMU
  private long ownAccesses;
  private long systemAccesses;
  private long faultedAccesses;

  PortSession(final DevicePort port, final BusTarget target, final long epoch) {
    this.port = port;
    this.target = target;
    this.epoch = epoch;
    used = port.used();
    cipherRuns = target.platform().cipherRuns();
  }

  @Override
  public long begin() {
    if ((section & 1) != 0) {
      throw new IllegalStateException("section on port " + port.name() + " has begun already");
    }
    Route route = enter();
    while (route.translation() instanceof StandIn away && waits(route, away)) {
      SECTION.setRelease(this, section + 1);
      away.await(port, route); // outside, so that nobody waits for us meanwhile
      route = enter();
    }
    if (!usable(route)) {
      SECTION.setRelease(this, section + 1);
      return -1;
    }
    current = route;
    BEGUN.setOpaque(this, route.version());
    return route.version();
  }

  private Route enter() {
    SECTION.setVolatile(this, section + 1);
    return port.route();
  }

  @Override
  public boolean waits() {
    final Route route = port.route();
    return route.translation() instanceof StandIn away && waits(route, away);
  }

  private boolean waits(final Route route, final StandIn away) {
    return usable(route) && away.waits();
  }

  private boolean usable(final Route route) {
    return !route.revoked() && route.epoch() == epoch && !closed;
  }

  @Override
  public void end() {
    if ((section & 1) == 0) {
      throw new IllegalStateException("no section has begun on port " + port.name());
    }
    settled();
    current = null;
    SECTION.setRelease(this, section + 1);
  }

  @Override
  public MemorySegment resolve(final long address, final long length, final BusAccess access)
      throws BusFaultException {
    resolve(address, length, access, slice);
    return slice.memory().asSlice(slice.offset(), length);
  }

  @Override
  public void resolve(
      final long address, final long length, final BusAccess access, final BusRun into)
      throws BusFaultException {
    final Route route = checked(address, length);
    resolve(route, address, length, access, into);
    final PortWatch watch = route.watch();
    if (watch != null) {
      watch.access(this, address, length, access);
    }
  }

  /**
   * {@inheritDoc}
   *
   * <p>Who watches is told of it at its bus address, and not at all while it has none.
   */
  @Override
  public void resolveOwn(
      final long offset, final long length, final BusAccess access, final BusRun into)
      throws BusFaultException {
    final Route route = checked(offset, length);
    final long size = route.own().byteSize();
    if (length < 1 || offset < 0) {
      throw fault(Reason.OVERFLOW, offset, length);
    }
    if (length > size || offset > size - length) {
      throw fault(size == 0 ? Reason.UNMAPPED : Reason.NOT_MEMORY, offset, length);
    }
    OWN.setOpaque(this, ownAccesses + 1);
    into.set(route.own(), offset);
    final PortWatch watch = route.watch();
    if (watch != null && route.ownSize() > 0) {
      watch.access(this, route.ownBase() + offset, length, access);
    }
  }

  /** The section's route, if it may be used still. */
  private Route checked(final long address, final long length) throws BusFaultException {
    final Route route = current;
    if (route == null || port.route().version() != route.version()) {
      return checkOpen(route, address, length);
    }
    return route;
  }

  @Override
  public void settled() {
    final Route route = current;
    if (route != null) {
      final PortWatch watch = route.watch();
      if (watch != null) {
        watch.settled(this);
      }
      if (cipherRuns != null) {
        cipherRuns.settle();
      }
    }
  }

  private void resolve(
      final Route route,
      final long address,
      final long length,
      final BusAccess access,
      final BusRun into)
      throws BusFaultException {
    // Bus addresses are unsigned: the last byte is below the first only if the run wraps around.
    if (length < 1 || Long.compareUnsigned(address + (length - 1), address) < 0) {
      throw fault(Reason.OVERFLOW, address, length);
    }
    final long within = address - route.ownBase();
    if (Long.compareUnsigned(within, route.ownSize()) < 0) {
      if (length > route.ownSize() - within) { // runs out of the own range
        throw fault(Reason.NOT_MEMORY, address, length);
      }
      OWN.setOpaque(this, ownAccesses + 1);
      into.set(route.own(), within);
      return;
    }
    if (route.ownSize() > 0 && Long.compareUnsigned(-within, length) < 0) { // runs into it
      throw fault(Reason.NOT_MEMORY, address, length);
    }
    resolveSystem(route, address, length, access, into);
  }

  private void resolveSystem(
      final Route route,
      final long address,
      final long length,
      final BusAccess access,
      final BusRun into)
      throws BusFaultException {
    if (!route.busMaster()) {
      throw fault(Reason.BUS_MASTER_OFF, address, length);
    }
    if (BusTarget.touchesMessages(address, length)) { // an interrupt, whatever the IOMMU says
      throw fault(Reason.NOT_MEMORY, address, length);
    }
    final Translation translation = route.translation();
    long behind = address;
    if (translation != null) {
      behind = translated(translation, address, length, access);
      if (behind == Translation.FAULT) {
        throw fault(Reason.TRANSLATION, address, length);
      }
    }
    final long offset = target.offset(behind, length);
    if (offset < 0) {
      throw fault(target.refusal(behind, length), address, length);
    }
    final Reason forbidden = target.forbidden(offset, length);
    if (forbidden != null) {
      throw fault(forbidden, address, length);
    }
    SYSTEM.setOpaque(this, systemAccesses + 1);
    if (used != null) {
      used.mark(offset, length);
    }
    if (target.platform().plain()) {
      into.set(target.ram().memory(), offset);
      return;
    }
    target.platform().accessed();
    if (cipherRuns == null) {
      into.set(target.platform().deviceView(), offset);
    } else {
      cipherRuns.resolve(behind, offset, length, access == BusAccess.WRITE, into);
    }
  }

  private long translated(
      final Translation by, final long address, final long length, final BusAccess access) {
    @Nullable Translation now = by;
    while (now != null) {
      try {
        return now.translate(address, length, access);
      } catch (final RuntimeException | Error e) { // an IOMMU's code, of another bundle
        now = next(now, e);
      }
    }
    return Translation.FAULT;
  }

  /**
   * Waits for what translates after code that threw, see {@link StandIn}. It ends: each time
   * another IOMMU must have come, or the absence is over.
   *
   * @return null when nothing does: the access must not pass, whatever others may do by now
   */
  private @Nullable Translation next(final Translation threw, final Throwable why) {
    port.failed(threw, why);
    Route now = port.route();
    parked = true;
    while (now.translation() instanceof StandIn away && waits(now, away)) {
      away.await(port, now);
      now = port.route();
    }
    parked = false;
    final Translation next = now.translation();
    if (!usable(now) || next == threw) {
      return null;
    }
    current = now; // what threw is not asked again
    return next;
  }

  /**
   * {@inheritDoc}
   *
   * <p>A run that {@link #resolve} refuses whatever the IOMMU says is one piece: it must be refused
   * as a whole, and not have its harmless part resolved first.
   */
  @Override
  public long contiguous(final long address, final long length, final BusAccess access) {
    final Route route = routeNow();
    final Translation translation = route.translation();
    if (translation == null || !scattered(route, address, length)) {
      return length;
    }
    // What the IOMMU says is bounded here: callers go on from there, and must get on.
    return Math.clamp(piece(translation, address, length, access), 1, length);
  }

  private long piece(
      final Translation by, final long address, final long length, final BusAccess access) {
    @Nullable Translation now = by;
    while (now != null) {
      try {
        return now.contiguous(address, length, access);
      } catch (final RuntimeException | Error e) { // as in translated
        now = next(now, e);
      }
    }
    return length; // who resolves it hears of the fault
  }

  /** Whether the IOMMU is to be asked about a run at all. */
  private static boolean scattered(final Route route, final long address, final long length) {
    return length > 1
        && route.busMaster()
        && Long.compareUnsigned(address + (length - 1), address) >= 0 // does not wrap around
        && !route.owns(address)
        && (route.ownSize() == 0
            || Long.compareUnsigned(route.ownBase() - address, length) >= 0) // does not run into it
        && !BusTarget.touchesMessages(address, length);
  }

  @Override
  public boolean inOwnRegion(final long address, final long length) {
    return routeNow().ownsAll(address, length);
  }

  @Override
  public long ownBase() {
    final Route route = routeNow();
    return route.ownSize() > 0 ? route.ownBase() : -1;
  }

  @Override
  public void touched(final long address) {
    final Route route = routeNow();
    final PortWatch watch = route.watch();
    if (watch != null) {
      watch.access(this, address, 1, BusAccess.READ);
    }
    if (route.owns(address)) {
      OWN.setOpaque(this, ownAccesses + 1);
    } else {
      SYSTEM.setOpaque(this, systemAccesses + 1);
    }
  }

  @Override
  public void close() {
    if ((section & 1) != 0) {
      end();
    }
    if (!closed) {
      closed = true;
      port.closed(this);
    }
  }

  /**
   * Waits for the end of a section that is open now and began on a route before a version; true at
   * once when there is none.
   *
   * @param orParked whether it is enough that it waits inside for an IOMMU
   */
  boolean awaitEnd(final long deadlineNanos, final long version, final boolean orParked) {
    final long seen = (long) SECTION.getVolatile(this);
    if ((seen & 1) == 0) {
      return true;
    }
    for (int spins = 0; open(seen, version) && !(orParked && parked); spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else if (System.nanoTime() - deadlineNanos >= 0) {
        return false;
      } else {
        LockSupport.parkNanos(this, PARK_NANOS);
      }
    }
    return true;
  }

  private boolean open(final long seen, final long version) {
    return (long) SECTION.getVolatile(this) == seen && (long) BEGUN.getOpaque(this) < version;
  }

  /** Its accesses so far, without messages. */
  PortCounters counters() {
    return new PortCounters(
        (long) OWN.getOpaque(this),
        (long) SYSTEM.getOpaque(this),
        (long) FAULTED.getOpaque(this),
        0);
  }

  /** The route changed since the section began, or there is no section: may it go on? */
  private Route checkOpen(final @Nullable Route route, final long address, final long length)
      throws BusFaultException {
    if (!usable(port.route())) {
      throw fault(Reason.REVOKED, address, length);
    }
    if (route == null) {
      throw new IllegalStateException("resolve on port " + port.name() + " outside a section");
    }
    return route;
  }

  private BusFaultException fault(final Reason reason, final long address, final long length) {
    FAULTED.setOpaque(this, faultedAccesses + 1);
    return new BusFaultException(reason, address, length);
  }

  private Route routeNow() {
    final Route route = current;
    return route == null ? port.route() : route;
  }

  private static VarHandle field(final String name) {
    try {
      return MethodHandles.lookup().findVarHandle(PortSession.class, name, long.class);
    } catch (final ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }
}
