package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.device.blk.BlkDevice;
import io.carom.virtio.device.blk.BlkOptions;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.ComponentConstants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One virtio block device for each configuration of {@value #PID}. A configuration that cannot make
 * one is told in one line, and registers nothing. What deactivation does is told at {@link
 * ConfiguredDevice#close}.
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

    /** The write cache. */
    @AttributeDefinition(
        description = "Whether it begins with a write cache, which a driver may switch.")
    boolean writeCache() default true;

    /** Largest segment. */
    @AttributeDefinition(description = "Largest data segment it asks for, bytes; 0 for any.")
    int sizeMax() default 0;

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

  private final BundleContext context;
  private final DeviceRegions regions;
  private final DeviceRecords records;
  private final DeviceRegistry registry;
  private final String pid;
  private ConfiguredDevice<BlkDevice> device;
  private Map<String, Object> settings;

  /** Makes the device and registers its function. */
  @Activate
  public BlkComponent(
      final BundleContext context,
      @Reference final DeviceRegions regions,
      @Reference final DeviceRecords records,
      @Reference final DeviceRegistry registry,
      final Config config,
      final Map<String, Object> properties) {
    this.context = context;
    this.regions = regions;
    this.records = records;
    this.registry = registry;
    pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    settings = settings(properties);
    device = make(config, properties);
  }

  private ConfiguredDevice<BlkDevice> make(
      final Config config, final Map<String, Object> properties) {
    final ConfiguredDevice<BlkDevice> made =
        new ConfiguredDevice<>(context, registry, pid, () -> disk(config, properties));
    final BlkDevice disk = made.type();
    if (disk != null) {
      registry.disk(config.name(), disk::resize);
    }
    return made;
  }

  private ConfiguredDevice.Made<BlkDevice> disk(
      final Config config, final Map<String, Object> properties) {
    final BlkSettings checked = BlkSettings.check(spec(config, properties));
    final BlkSpec spec = checked.spec();
    final TransportSettings transport =
        TransportSettings.parse(properties, spec.queues(), spec.queueSize());
    final Properties from = new Properties(properties);
    final BlkOptions options =
        new BlkOptions(
            spec.readOnly(),
            spec.queues(),
            spec.queueSize(),
            from.flag("writeCache", true),
            from.number("sizeMax", 0, 0, Integer.MAX_VALUE));
    registry.claim(spec.name(), pid);
    final BlkMaker.Made made =
        BlkMaker.make(checked, options, transport, regions, records, transport.workers());
    return new ConfiguredDevice.Made<>(
        spec.name(), made.type(), made.function(), transport, () -> forget(spec.name()));
  }

  private void forget(final String name) {
    records.forget(name);
    KeptMemory.remove(regions, name);
  }

  /**
   * Another size is set while the guest uses the disk. Anything else takes another device: one of
   * the same shape goes on in the place of this one, another shape is a removal.
   */
  @Modified
  void modified(final Config config, final Map<String, Object> properties) {
    final BlkDevice disk = device.type();
    final Map<String, Object> wanted = settings(properties);
    final boolean same = wanted.equals(settings);
    final boolean renamed = !Objects.equals(wanted.get("name"), settings.get("name"));
    settings = wanted;
    if (!same || disk == null) {
      device.close(
          renamed
              ? ComponentConstants.DEACTIVATION_REASON_CONFIGURATION_DELETED
              : ComponentConstants.DEACTIVATION_REASON_CONFIGURATION_MODIFIED);
      device = make(config, properties);
      return;
    }
    try {
      disk.resize(BlkSettings.size(spec(config, properties)));
    } catch (final IllegalArgumentException e) {
      LOG.error("Size of {} unchanged: {}", config.name(), e.getMessage());
    }
  }

  /** What makes this device another one. */
  private static Map<String, Object> settings(final Map<String, Object> properties) {
    final Map<String, Object> settings = new HashMap<>(properties);
    settings.remove("sizeBytes");
    settings.keySet().removeIf(key -> key.startsWith("service.") || key.startsWith("felix."));
    settings.keySet().removeIf(key -> key.startsWith("component."));
    return settings;
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

  /** Takes the device out. */
  @Deactivate
  void deactivate(final int reason) {
    device.close(reason);
  }
}
