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
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machine's open ports by name. The monitor guards the map and is never held while waiting. */
public final class Ports implements BusPorts {
  private static final Logger LOG = LoggerFactory.getLogger(Ports.class);

  private final Map<String, DevicePort> open = new HashMap<>();
  private final BusTarget target;
  private final MsiController interrupts;
  private final Duration patience;
  private @Nullable BusIommu iommu;

  /**
   * No ports yet.
   *
   * @param patience how long a change of a route waits for sections under the old one
   */
  public Ports(final BusTarget target, final MsiController interrupts, final Duration patience) {
    this.target = target;
    this.interrupts = interrupts;
    this.patience = patience;
  }

  @Override
  public synchronized PortControl create(final String name) {
    if (open.containsKey(name)) {
      throw new IllegalStateException("port " + name + " is open already; close it first");
    }
    final DevicePort port = new DevicePort(name, target, interrupts);
    final Translation translation = iommu == null ? null : iommu.translation(name);
    port.change(route -> route.translation(translation));
    open.put(name, port);
    return new PortRoutes(port, patience, () -> remove(name, port));
  }

  @Override
  public boolean iommu(final @Nullable BusIommu next) {
    final List<DevicePort> ports;
    synchronized (this) {
      iommu = next;
      ports = snapshot();
      for (final DevicePort port : ports) {
        final Translation translation = next == null ? null : next.translation(port.name());
        port.change(route -> route.translation(translation));
      }
    }
    return await(ports);
  }

  @Override
  public boolean translation(final String name, final @Nullable Translation translation) {
    return change(name, route -> route.translation(translation));
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
    port.change(step);
    return port.awaitSections(Deadlines.after(patience));
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
    port.change(route -> route.watch(watch));
    if (!port.awaitSections(Deadlines.after(patience))) {
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
    final List<DevicePort> ports = snapshot();
    ports.forEach(port -> port.change(Route::next));
    return await(ports);
  }

  private boolean await(final List<DevicePort> ports) {
    final long deadline = Deadlines.after(patience);
    boolean ended = true;
    for (final DevicePort port : ports) {
      if (!port.awaitSections(deadline)) {
        LOG.warn(
            "an access of {} has not ended within {} ms (quiesceTimeoutMs)",
            port.name(),
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
