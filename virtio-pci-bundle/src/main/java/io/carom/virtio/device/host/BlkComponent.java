package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.pci.PciFunction;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.device.host.BlkMaker.Made;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One virtio block device for each configuration of {@value #PID}. A configuration that cannot make
 * one is told in one line, and registers nothing. Without an orderly removal before, deactivation
 * takes the device out by surprise; it is bounded, whatever a backend does.
 */
@Component(
    name = BlkComponent.PID,
    service = {},
    configurationPid = BlkComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true)
@Designate(ocd = BlkComponent.Config.class, factory = true)
public final class BlkComponent {
  /** The factory PID. */
  static final String PID = "io.carom.virtio.blk";

  static final int DEFAULT_QUEUES = 1;
  static final int DEFAULT_QUEUE_SIZE = 256;
  static final String DEFAULT_POLICY = "hint";

  private static final Logger LOG = LoggerFactory.getLogger(BlkComponent.class);

  /** A block device; what all types have besides is told in {@link TransportSettings}. */
  @ObjectClassDefinition(name = "Virtio block device", description = "A disk for the guest.")
  @interface Config {
    /** The name. */
    @AttributeDefinition(description = "Unique name of the device, such as disk0.")
    String name() default "";

    /** The backend. */
    @AttributeDefinition(
        description = "What keeps the bytes.",
        options = {@Option(BlkSettings.FILE), @Option(BlkSettings.MEMORY)})
    String backend() default BlkSettings.FILE;

    /** The image. */
    @AttributeDefinition(required = false, description = "Path of the image, for backend=file.")
    String file() default "";

    /** The size. */
    @AttributeDefinition(
        description = "Bytes of the disk, a multiple of 512; 0 takes the size of the file.")
    long sizeBytes() default 0;

    /** Whether writes are refused. */
    @AttributeDefinition(description = "Whether writes are refused.")
    boolean readOnly() default false;

    /** Number of queues. */
    @AttributeDefinition(description = "Number of request queues, 1 to 64.")
    int queues() default DEFAULT_QUEUES;

    /** Entries of a queue. */
    @AttributeDefinition(description = "Entries of each queue, a power of two up to 32768.")
    int queueSize() default DEFAULT_QUEUE_SIZE;

    /** The SWIOTLB policy. */
    @AttributeDefinition(
        description =
            "none: no SWIOTLB region; hint: the capability only; compat: the feature bit is"
                + " offered; strict: and insisted on.",
        options = {@Option("none"), @Option("hint"), @Option("compat"), @Option("strict")})
    String policy() default DEFAULT_POLICY;

    /** The region. */
    @AttributeDefinition(
        description = "Bytes of the SWIOTLB region, a multiple of 262144; not for policy=none.")
    long regionBytes() default TransportSettings.DEFAULT_REGION_BYTES;

    /** The slot. */
    @AttributeDefinition(
        required = false,
        description = "Wanted PCI slot such as 00:04.0; empty takes the first free one.")
    String slot() default "";

    /** The spin. */
    @AttributeDefinition(
        description = "How long a queue's thread looks for a doorbell before it sleeps.")
    int spinUs() default TransportSettings.DEFAULT_SPIN_US;
  }

  private final DeviceRegistry registry;
  private final String pid;
  private final @Nullable Made made;
  private final @Nullable ServiceRegistration<PciFunction> registration;

  /** Makes the device and registers its function. */
  @Activate
  public BlkComponent(
      final BundleContext context,
      @Reference final DeviceRegions regions,
      @Reference final DeviceRegistry registry,
      final Config config,
      final Map<String, Object> properties) {
    this.registry = registry;
    pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    Made device = null;
    ServiceRegistration<PciFunction> service = null;
    try {
      final BlkSettings settings = BlkSettings.check(spec(config, properties));
      final BlkSpec spec = settings.spec();
      final TransportSettings transport =
          TransportSettings.parse(properties, spec.queues(), spec.queueSize());
      registry.claim(spec.name(), pid);
      device = BlkMaker.make(settings, transport, regions, transport.workers());
      service =
          context.registerService(
              PciFunction.class, device.function(), transport.serviceProperties(spec.name()));
      registry.made(spec.name(), pid, device.function());
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

  /** A number, or a line that names the property which is none. */
  private static <T> T number(
      final String key, final Map<String, Object> properties, final Supplier<T> value) {
    try {
      return value.get();
    } catch (final RuntimeException e) {
      throw new IllegalArgumentException(key + "=" + properties.get(key) + " is not a number", e);
    }
  }

  private static BlkSpec spec(final Config config, final Map<String, Object> properties) {
    return new BlkSpec(
        config.name(),
        config.backend(),
        config.file(),
        number("sizeBytes", properties, config::sizeBytes),
        config.readOnly(),
        number("queues", properties, config::queues),
        number("queueSize", properties, config::queueSize),
        BlkSettings.policy(config.policy()),
        number("regionBytes", properties, config::regionBytes),
        config.slot().isEmpty() ? null : config.slot());
  }

  /** Takes the device out: the bus unplugs it, its threads end, its backend is closed. */
  @Deactivate
  void deactivate() {
    if (registration != null) {
      try {
        registration.unregister();
      } catch (final IllegalStateException e) {
        LOG.debug("The function of {} was unregistered already", pid, e);
      }
    }
    if (made != null) {
      made.function().unplugged();
      made.type().close();
    }
    registry.gone(pid);
  }
}
