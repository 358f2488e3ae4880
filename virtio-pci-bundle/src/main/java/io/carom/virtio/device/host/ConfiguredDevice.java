package io.carom.virtio.device.host;

import io.carom.pci.PciFunction;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.type.DeviceType;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.ComponentConstants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device of one configuration, of whatever type: made, registered for the bus to plug it in,
 * and taken out again. A configuration that cannot make one is told in one line, and registers
 * nothing. Of one component, which Declarative Services calls from one thread at a time.
 */
public final class ConfiguredDevice<T extends DeviceType> {
  /** What taking out may take besides what the device waits for. */
  static final int SLACK_MS = 500;

  private static final Logger LOG = LoggerFactory.getLogger(ConfiguredDevice.class);

  private final BundleContext context;
  private final DeviceRegistry registry;
  private final String pid;
  private final @Nullable Made<T> made;
  private final @Nullable ServiceRegistration<PciFunction> registration;
  private volatile @Nullable Departure departure;

  /**
   * A device that was made.
   *
   * @param name its name, which was claimed
   * @param type what it does
   * @param function what presents it
   * @param transport how it is presented
   * @param gone forgets what is kept of it, once it is gone for good
   */
  public record Made<T extends DeviceType>(
      String name,
      T type,
      VirtioPciFunction function,
      TransportSettings transport,
      Runnable gone) {}

  /**
   * Makes a device and registers it.
   *
   * @param pid of the configuration
   * @param maker claims the name and makes the device; what it throws is why there is none, and it
   *     has closed then what it opened
   */
  public ConfiguredDevice(
      final BundleContext context,
      final DeviceRegistry registry,
      final String pid,
      final Supplier<Made<T>> maker) {
    this.context = context;
    this.registry = registry;
    this.pid = pid;
    Made<T> device = null;
    ServiceRegistration<PciFunction> service = null;
    try {
      device = maker.get();
      service =
          context.registerService(
              PciFunction.class,
              device.function(),
              device.transport().serviceProperties(device.name()));
      registry.made(device.name(), pid, device.function());
    } catch (final RuntimeException e) {
      final String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      LOG.error("No device from configuration {}: {}", pid, reason);
      if (device != null) {
        device.type().close();
      }
      device = null;
      registry.failed(pid, reason);
    }
    made = device;
    registration = service;
    if (device != null) {
      registry.live(pid, this);
    }
  }

  /** What the device does; null when there is none. */
  public @Nullable T type() {
    return made == null ? null : made.type();
  }

  /**
   * Takes the device out: the bus unplugs it, its threads end, its backend is closed. When its
   * configuration is deleted the guest is to see that, and nothing is kept; else the bus keeps its
   * slot and the machine its state, for the device that is made next, unless the framework itself
   * goes down.
   *
   * <p>Bounded by its {@code stopTimeoutMs} and {@value #SLACK_MS} ms: what hangs longer goes on on
   * a daemon thread of its own. When the bundle stops, all devices of it begin to go at once, with
   * one deadline for them, so that those that hang cost no more than one.
   *
   * @param reason as Declarative Services has it, one of {@code DEACTIVATION_REASON_...}
   */
  public void close(final int reason) {
    begin(reason == ComponentConstants.DEACTIVATION_REASON_CONFIGURATION_DELETED);
    if (reason == ComponentConstants.DEACTIVATION_REASON_BUNDLE_STOPPED) {
      registry.stopping();
    }
    final Departure now = departure;
    if (now != null) {
      now.await();
    }
    registry.gone(pid);
  }

  /** Begins to take the device out, if that has not begun. */
  void begin(final boolean forGood) {
    synchronized (this) {
      if (made != null && departure == null) {
        departure = new Departure(made.name(), made.transport().stopTimeoutMs() + SLACK_MS);
        departure.start(() -> takeOut(made, forGood));
      }
    }
  }

  private void takeOut(final Made<T> device, final boolean forGood) {
    device.function().leaving(forGood || PowerOff.isUnderWay(context));
    if (registration != null) {
      unregister(registration);
    }
    if (device.function().isPlugged()) {
      device.function().unplugged(); // the bus did, unless there is none
    }
    device.type().close();
    if (forGood) {
      device.gone().run();
    }
  }

  /** Takes a service back, which the framework may have done already. */
  static void unregister(final ServiceRegistration<?> registration) {
    try {
      registration.unregister();
    } catch (final IllegalStateException e) {
      LOG.debug("A service was unregistered already", e);
    }
  }
}
