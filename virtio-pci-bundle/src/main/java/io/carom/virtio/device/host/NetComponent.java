package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.device.net.FrameCapture;
import io.carom.virtio.device.net.NetDevice;
import io.carom.virtio.device.net.NetSwitch;
import io.carom.virtio.device.transport.VirtioPciFunction;
import io.carom.virtio.device.type.ErrorLog;
import java.io.IOException;
import java.nio.file.Path;
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

/**
 * One virtio network device for each configuration of {@value #PID}. A configuration that cannot
 * make one is told in one line, and registers nothing. What deactivation does is told at {@link
 * ConfiguredDevice#close}, and what becomes of frames then at {@link NetDevice}.
 */
@Component(
    name = NetComponent.PID,
    service = {},
    configurationPid = NetComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true)
@Designate(ocd = NetComponent.Config.class, factory = true)
public final class NetComponent {
  /** The factory PID. */
  static final String PID = "io.carom.virtio.net";

  /** A network device; what all types have besides is told in {@link TransportSettings}. */
  @ObjectClassDefinition(
      name = "Virtio network device",
      description = "A network card for the guest, on a switch in memory.")
  @interface Config {
    /** The name. */
    @AttributeDefinition(description = "Unique name of the device, such as net0.")
    String name() default "";

    /** The address. */
    @AttributeDefinition(
        required = false,
        description = "Ethernet address such as 02:ca:00:00:00:01; empty makes one of the name.")
    String mac() default "";

    /** The segment. */
    @AttributeDefinition(description = "Name of the switch; devices on one of a name are together.")
    String segment() default NetSettings.DEFAULT_SEGMENT;

    /** Pairs. */
    @AttributeDefinition(description = "Pairs of a receive and a transmit queue, 1 to 8.")
    int queuePairs() default NetSettings.DEFAULT_QUEUE_PAIRS;

    /** Entries of a queue. */
    @AttributeDefinition(description = "Entries of each queue, a power of two from 4 to 32768.")
    int queueSize() default NetSettings.DEFAULT_QUEUE_SIZE;

    /** The MTU. */
    @AttributeDefinition(description = "Largest packet in bytes, 68 to 65535.")
    int mtu() default NetSettings.DEFAULT_MTU;

    /** The capture. */
    @AttributeDefinition(
        required = false,
        description = "Path of a pcapng file that the frames are written to, made anew.")
    String capture() default "";

    /** How much of a frame is captured. */
    @AttributeDefinition(description = "Bytes of a frame that are captured at most; 0 for all.")
    int snapLength() default 0;
  }

  private final NetRegistry networks;
  private final ConfiguredDevice<NetDevice> device;
  private @Nullable String claimed;

  /** Makes the device and registers its function. */
  @Activate
  public NetComponent(
      final BundleContext context,
      @Reference final DeviceRegions regions,
      @Reference final DeviceRecords records,
      @Reference final DeviceRegistry registry,
      @Reference final NetRegistry networks,
      final Map<String, Object> properties) {
    this.networks = networks;
    final String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    device =
        new ConfiguredDevice<>(
            context, registry, pid, () -> make(properties, pid, regions, records, registry));
    if (device.type() == null) {
      release();
    }
  }

  private ConfiguredDevice.Made<NetDevice> make(
      final Map<String, Object> properties,
      final String pid,
      final DeviceRegions regions,
      final DeviceRecords records,
      final DeviceRegistry registry) {
    final NetSettings settings = NetSettings.parse(properties);
    final TransportSettings transport =
        TransportSettings.parse(properties, settings.queues(), settings.options().queueSize());
    final String name = settings.options().name();
    registry.claim(name, pid);
    final NetSwitch segment =
        networks.claim(name, settings.segment(), settings.options().mac(), settings.capture());
    claimed = name;
    final ErrorLog errors = new ErrorLog(name, System::nanoTime);
    final NetDevice type = new NetDevice(settings.options(), segment, capture(settings, errors));
    final VirtioPciFunction function;
    try {
      function = transport.function(name, type, regions, records, errors);
    } catch (final RuntimeException e) {
      type.close();
      throw e;
    }
    networks.made(name, type);
    return new ConfiguredDevice.Made<>(name, type, function, transport, () -> records.forget(name));
  }

  private static @Nullable FrameCapture capture(final NetSettings settings, final ErrorLog errors) {
    final Path path = settings.capture();
    if (path == null) {
      return null;
    }
    try {
      return new FrameCapture(
          settings.options().name(), path, settings.snapBytes(), FrameCapture.wallClock(), errors);
    } catch (final IOException e) {
      throw new IllegalArgumentException(
          "capture=" + path + " cannot be written: " + e.getMessage(), e);
    }
  }

  private void release() {
    if (claimed != null) {
      networks.gone(claimed);
      claimed = null;
    }
  }

  /** Takes the device out: the bus unplugs it, its threads end, its capture is closed. */
  @Deactivate
  void deactivate(final int reason) {
    device.close(reason);
    release();
  }
}
