package io.carom.machine.port;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.MsiController;
import io.carom.pci.PortCounters;
import io.carom.pci.Translation;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A function's port: its route, its sessions, and its counters.
 *
 * <p>The monitor guards changes of the route and of the list of sessions, and is never held while
 * waiting. How sections and changes of the route meet is told on {@link PortSession}.
 */
final class DevicePort implements BusPort {
  private final String name;
  private final BusTarget target;
  private final MsiController interrupts;
  private final Failures failures;
  private final @Nullable UsedPages used; // in a confidential guest only
  private final LongAdder messages = new LongAdder();
  private final LongAdder refusedMessages = new LongAdder();
  private volatile Route route = Route.INITIAL;
  private volatile List<PortSession> sessions = List.of();
  private PortCounters past = new PortCounters(0, 0, 0, 0); // of closed sessions

  /** Who is told when the code of a translation threw; called inside a section, must not wait. */
  @FunctionalInterface
  interface Failures {
    void threw(DevicePort port, Translation translation, Throwable why);
  }

  DevicePort(
      final String name,
      final BusTarget target,
      final MsiController interrupts,
      final Failures failures) {
    this.name = name;
    this.target = target;
    this.interrupts = interrupts;
    this.failures = failures;
    used =
        target.states().confidential() ? new UsedPages(target.states(), target.ram().size()) : null;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public synchronized BusSession open() {
    final PortSession session = new PortSession(this, target, route.epoch());
    sessions = Stream.concat(sessions.stream(), Stream.of(session)).toList();
    return session;
  }

  @Override
  public synchronized PortCounters counters() {
    PortCounters sum = past;
    for (final PortSession session : sessions) {
      sum = plus(sum, session.counters());
    }
    return new PortCounters(
        sum.ownRegion(), sum.systemMemory(), sum.faulted() + refusedMessages.sum(), messages.sum());
  }

  @Override
  public long unprotectedPages() {
    return used == null ? 0 : used.count();
  }

  /** Pages of a confidential guest that were reached, or null. */
  @Nullable UsedPages used() {
    return used;
  }

  @Override
  public boolean message(final long address, final int data) {
    final Route now = route;
    if (now.revoked() || !now.busMaster() || !PhysicalLayout.isMessage(address)) {
      refusedMessages.increment();
      return false;
    }
    messages.increment();
    interrupts.message(address, data);
    return true;
  }

  Route route() {
    return route;
  }

  /** Publishes a new route; {@link #awaitOlder} is the caller's next step. Returns its version. */
  synchronized long change(final UnaryOperator<Route> step) {
    final Translation before = route.hook();
    route = step.apply(route);
    if (before instanceof StandIn away) {
      away.changed();
    }
    return route.version();
  }

  /** The code of a translation threw. */
  void failed(final Translation translation, final Throwable why) {
    failures.threw(this, translation, why);
  }

  /** Waits for all sections that are open now. */
  boolean awaitSections(final long deadlineNanos) {
    return await(deadlineNanos, Long.MAX_VALUE, false);
  }

  /** Waits for the sections that are open now and began on a route before a version. */
  boolean awaitOlder(final long deadlineNanos, final long version) {
    return await(deadlineNanos, version, false);
  }

  /** As {@link #awaitOlder}, or until they wait inside for the next IOMMU: the old one is left. */
  boolean awaitLeft(final long deadlineNanos, final long version) {
    return await(deadlineNanos, version, true);
  }

  private boolean await(final long deadlineNanos, final long version, final boolean orParked) {
    boolean ended = true;
    for (final PortSession session : sessions) {
      ended &= session.awaitEnd(deadlineNanos, version, orParked);
    }
    return ended;
  }

  synchronized void closed(final PortSession session) {
    past = plus(past, session.counters());
    sessions = sessions.stream().filter(other -> other != session).toList();
  }

  private static PortCounters plus(final PortCounters a, final PortCounters b) {
    return new PortCounters(
        a.ownRegion() + b.ownRegion(),
        a.systemMemory() + b.systemMemory(),
        a.faulted() + b.faulted(),
        0);
  }
}
