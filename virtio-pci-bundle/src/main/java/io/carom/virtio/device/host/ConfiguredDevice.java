package io.carom.virtio.device.host;

import io.carom.pci.PciFunction;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.type.DeviceType;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The device of one configuration, of whatever type: made, registered for the bus to plug it in,
 * and taken out again. A configuration that cannot make one is told in one line, and registers
 * nothing. Of one component, which Declarative Services calls from one thread at a time.
 */
public final class ConfiguredDevice<T extends DeviceType> implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ConfiguredDevice.class);

  private final DeviceRegistry registry;
  private final String pid;
  private final @Nullable Made<T> made;
  private final @Nullable ServiceRegistration<PciFunction> registration;

  /**
   * A device that was made.
   *
   * @param name its name, which was claimed
   * @param type what it does
   * @param function what presents it
   * @param transport how it is presented
   */
  public record Made<T extends DeviceType>(
      String name, T type, VirtioPciFunction function, TransportSettings transport) {}

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
  }

  /** What the device does; null when there is none. */
  public @Nullable T type() {
    return made == null ? null : made.type();
  }

  /** Takes the device out: the bus unplugs it, its threads end, its backend is closed. Bounded. */
  @Override
  public void close() {
    if (registration != null) {
      unregister(registration);
    }
    if (made != null) {
      made.function().unplugged();
      made.type().close();
    }
    registry.gone(pid);
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
