package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.device.rng.RngDevice;
import io.carom.virtio.device.rng.RngOptions;
import io.carom.virtio.device.rng.SeededBytes;
import io.carom.virtio.device.type.ErrorLog;
import java.security.SecureRandom;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** One virtio entropy device for each configuration of {@value #PID}. */
@Component(
    name = RngComponent.PID,
    service = {},
    configurationPid = RngComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true)
@Designate(ocd = RngComponent.Config.class, factory = true)
public final class RngComponent {
  /** The factory PID. */
  static final String PID = "io.carom.virtio.rng";

  private static final int DEFAULT_QUEUE_SIZE = 64;

  private final ConfiguredDevice<RngDevice> device;

  /** An entropy device; what all types have besides is told in {@link TransportSettings}. */
  @ObjectClassDefinition(
      name = "Virtio entropy device",
      description = "Random bytes for the guest.")
  @interface Config {
    /** The name. */
    @AttributeDefinition(description = "Unique name of the device, such as rng0.")
    String name() default "";

    /** The rate. */
    @AttributeDefinition(description = "Most bytes a second; 0 gives as many as are asked for.")
    long bytesPerSecond() default 0;

    /** The seed. */
    @AttributeDefinition(
        required = false,
        description = "For tests: the bytes are those of this seed, and not random at all.")
    String seed() default "";

    /** Entries of the queue. */
    @AttributeDefinition(description = "Entries of the queue, a power of two up to 32768.")
    int queueSize() default DEFAULT_QUEUE_SIZE;
  }

  /** Makes the device and registers its function. */
  @Activate
  public RngComponent(
      final BundleContext context,
      @Reference final DeviceRegions regions,
      @Reference final DeviceRecords records,
      @Reference final DeviceRegistry registry,
      final Map<String, Object> properties) {
    final String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    device =
        new ConfiguredDevice<>(
            context, registry, pid, () -> make(properties, pid, regions, records, registry));
  }

  private static ConfiguredDevice.Made<RngDevice> make(
      final Map<String, Object> properties,
      final String pid,
      final DeviceRegions regions,
      final DeviceRecords records,
      final DeviceRegistry registry) {
    final Properties from = new Properties(properties);
    final @Nullable String text = from.text("name");
    final String name = text == null ? "" : text;
    BlkSettings.checkName(name);
    final int queueSize = from.number("queueSize", DEFAULT_QUEUE_SIZE, 1, Short.MAX_VALUE + 1);
    BlkSettings.checkQueueSize(queueSize);
    final RngOptions options =
        new RngOptions(
            queueSize, from.number("bytesPerSecond", 0L, 0L, RngOptions.MAX_BYTES_PER_SECOND));
    final TransportSettings transport = TransportSettings.parse(properties, 1, queueSize);
    final boolean seeded = from.text("seed") != null;
    final long seed = from.number("seed", 0L, Long.MIN_VALUE, Long.MAX_VALUE);
    registry.claim(name, pid);
    final RngDevice type =
        new RngDevice(
            options,
            seeded ? new SeededBytes(seed) : new SecureRandom(),
            seeded ? "seed " + seed + ", not random" : "random bytes of the host",
            true,
            System::nanoTime);
    return new ConfiguredDevice.Made<>(
        name,
        type,
        transport.function(name, type, regions, records, new ErrorLog(name, System::nanoTime)),
        transport,
        () -> records.forget(name));
  }

  /** Takes the device out. */
  @Deactivate
  void deactivate(final int reason) {
    device.close(reason);
  }
}
