package io.carom.machine.port;

import io.carom.pci.BusIommu;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.PortControl;
import io.carom.pci.PortWatch;
import io.carom.pci.Translation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The machine's open ports by name, and the IOMMU before them. The monitor guards the map and who
 * the IOMMU is, and is never held while waiting. Only under it does a port get a translation of the
 * IOMMU's, so that one which was taken away cannot change any, however late its threads are.
 *
 * <p>What becomes of accesses while the IOMMU is away is told on {@link StandIn}.
 */
public final class Ports implements BusPorts {
  private static final Logger LOG = LoggerFactory.getLogger(Ports.class);

  /** How long accesses wait for an IOMMU that is away, unless it is configured. */
  public static final Duration DEFAULT_ABSENCE = Duration.ofSeconds(5);

  private final Map<String, DevicePort> open = new HashMap<>();
  private final BusTarget target;
  private final MsiController interrupts;
  private final Duration patience;
  private final Duration absence;
  private final Predicate<String> blocked;
  private @Nullable BusIommu iommu;
  private @Nullable StandIn away; // an IOMMU was there, and none is

  /**
   * No ports yet.
   *
   * @param patience how long a change of a route waits for sections under the old one
   * @param absence how long accesses wait for the next IOMMU when one goes
   * @param blocked whether an IOMMU that goes has blocked a port, and not translated it
   */
  public Ports(
      final BusTarget target,
      final MsiController interrupts,
      final Duration patience,
      final Duration absence,
      final Predicate<String> blocked) {
    this.target = target;
    this.interrupts = interrupts;
    this.patience = patience;
    this.absence = absence;
    this.blocked = blocked;
  }

  /** No ports yet, of a machine that keeps nothing of its IOMMU. */
  public Ports(final BusTarget target, final MsiController interrupts, final Duration patience) {
    this(target, interrupts, patience, DEFAULT_ABSENCE, port -> false);
  }

  @Override
  public synchronized PortControl create(final String name) {
    if (open.containsKey(name)) {
      throw new IllegalStateException("port " + name + " is open already; close it first");
    }
    final DevicePort port = new DevicePort(name, target, interrupts, this::threw);
    final Translation translation = away == null ? asked(iommu, name) : away;
    port.change(route -> route.translation(translation));
    open.put(name, port);
    return new PortRoutes(port, patience, () -> remove(name, port));
  }

  @Override
  public boolean iommu(final @Nullable BusIommu next) {
    final List<Changed> ports = new ArrayList<>();
    synchronized (this) {
      if (away != null) {
        LOG.info("an IOMMU is there after {}", away.text());
      }
      away = null;
      iommu = next;
      for (final DevicePort port : snapshot()) {
        final Translation translation = asked(next, port.name());
        // whoever waits for one is woken by that, before anybody is waited for
        ports.add(changed(port, route -> route.translation(translation)));
      }
    }
    return await(ports, DevicePort::awaitOlder);
  }

  /** What an IOMMU says of a port; when it throws the port waits for another one. */
  private @Nullable Translation asked(final @Nullable BusIommu of, final String port) {
    try {
      return of == null ? null : of.translation(port);
    } catch (final RuntimeException | Error e) { // code of another bundle, called under our monitor
      LOG.error("{} waits for another IOMMU: this one threw when it was asked", port, e);
      return new StandIn(Deadlines.after(absence));
    }
  }

  @Override
  public boolean away(final BusIommu who) {
    final List<Changed> ports;
    synchronized (this) {
      if (who != iommu) {
        return true;
      }
      ports = leave();
    }
    return await(ports, DevicePort::awaitLeft);
  }

  /** Puts stand-ins in the place of the IOMMU; returns the ports that had its translations. */
  private List<Changed> leave() {
    final StandIn next = new StandIn(Deadlines.after(absence));
    iommu = null;
    away = next;
    final List<Changed> ports = new ArrayList<>();
    for (final DevicePort port : snapshot()) {
      if (port.route().hook() != null) {
        final Translation instead = blocked.test(port.name()) ? StandIn.BLOCKED : next;
        ports.add(changed(port, route -> route.translation(instead)));
      }
    }
    return ports;
  }

  /** An access met a translation whose code threw: nothing of that IOMMU is to be relied on. */
  private void threw(final DevicePort port, final Translation by, final Throwable why) {
    final BusIommu gone;
    synchronized (this) {
      gone = iommu;
      if (gone == null || port.route().hook() != by) {
        return; // it has been taken out, or something else translates by now
      }
      leave();
    }
    LOG.error(
        "the IOMMU is taken out, as it threw at an access of {}; accesses wait {} ms for another",
        port.name(),
        absence.toMillis(),
        why);
    try {
      gone.failed(why);
    } catch (final RuntimeException | Error e) { // what threw may do so again
      LOG.debug("An IOMMU that was taken out threw when it was told", e);
    }
  }

  @Override
  public boolean translation(
      final BusIommu who, final String name, final @Nullable Translation translation) {
    final Changed changed;
    synchronized (this) {
      if (who != iommu) {
        return true;
      }
      final DevicePort port = open.get(name);
      if (port == null) {
        return false;
      }
      changed = changed(port, route -> route.translation(translation));
    }
    return changed.port.awaitOlder(Deadlines.after(patience), changed.version);
  }

  @Override
  public boolean invalidated(final String name) {
    return change(name, Route::next);
  }

  private boolean change(final String name, final UnaryOperator<Route> step) {
    final DevicePort port;
    synchronized (this) {
      port = open.get(name);
    }
    if (port == null) {
      return false;
    }
    final long version = port.change(step);
    return port.awaitOlder(Deadlines.after(patience), version);
  }

  @Override
  public boolean watch(final String name, final @Nullable PortWatch watch) {
    final DevicePort port;
    synchronized (this) {
      port = open.get(name);
    }
    if (port == null) {
      return false;
    }
    final long version = port.change(route -> route.watch(watch));
    if (!port.awaitOlder(Deadlines.after(patience), version)) {
      LOG.warn(
          "an access of {} has not ended within {} ms (quiesceTimeoutMs): its watch may be called"
              + " once more",
          name,
          patience.toMillis());
    }
    return true;
  }

  /**
   * Gives every port a new route version and waits until all sections that began before have ended.
   *
   * @return false when one has not ended in time; it is named in the log
   */
  public boolean quiesceAll() {
    return await(
        snapshot().stream().map(port -> changed(port, Route::next)).toList(),
        DevicePort::awaitOlder);
  }

  /** A port, and the version of the route that it was given. */
  private record Changed(DevicePort port, long version) {}

  private static Changed changed(final DevicePort port, final UnaryOperator<Route> step) {
    return new Changed(port, port.change(step));
  }

  /** A wait for a port, to a deadline. */
  @FunctionalInterface
  private interface Wait {
    boolean until(DevicePort port, long deadlineNanos, long version);
  }

  private boolean await(final List<Changed> ports, final Wait wait) {
    final long deadline = Deadlines.after(patience);
    boolean ended = true;
    for (final Changed each : ports) {
      if (!wait.until(each.port, deadline, each.version)) {
        LOG.warn(
            "an access of {} has not ended within {} ms (quiesceTimeoutMs)",
            each.port.name(),
            patience.toMillis());
        ended = false;
      }
    }
    return ended;
  }

  /** Revokes every port: the machine goes away. */
  public void revokeAll() {
    snapshot().forEach(port -> port.change(Route::revoke));
  }

  private synchronized List<DevicePort> snapshot() {
    return new ArrayList<>(open.values());
  }

  private synchronized void remove(final String name, final DevicePort port) {
    open.remove(name, port);
  }
}
