package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.virtio.DeviceRecords;
import io.carom.virtio.VirtioConsole;
import io.carom.virtio.device.console.ConsoleDevice;
import io.carom.virtio.device.console.ConsoleOptions;
import io.carom.virtio.device.type.ErrorLog;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * One virtio console for each configuration of {@value #PID}, and a {@link VirtioConsole} service
 * for its host side.
 */
@Component(
    name = ConsoleComponent.PID,
    service = {},
    configurationPid = ConsoleComponent.PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    immediate = true)
@Designate(ocd = ConsoleComponent.Config.class, factory = true)
public final class ConsoleComponent {
  /** The factory PID. */
  static final String PID = "io.carom.virtio.console";

  private static final int DEFAULT_QUEUE_SIZE = 64;
  private static final int MOST_BUFFER_BYTES = 16 << 20;

  private final ConfiguredDevice<ConsoleDevice> device;
  private final @Nullable ServiceRegistration<VirtioConsole> service;

  /** A console; what all types have besides is told in {@link TransportSettings}. */
  @ObjectClassDefinition(name = "Virtio console", description = "A console and ports.")
  @interface Config {
    /** The name. */
    @AttributeDefinition(description = "Unique name of the device, such as con0.")
    String name() default "";

    /** Number of ports. */
    @AttributeDefinition(
        description = "Ports that it has room for, 1 to 31; MULTIPORT is offered above 1.")
    int ports() default 1;

    /** Names of ports. */
    @AttributeDefinition(
        required = false,
        description =
            "Names of the ports it begins with, the console's first, with commas between.")
    String portNames() default "";

    /** Columns. */
    @AttributeDefinition(description = "Columns of the console, 1 to 65535.")
    int columns() default ConsoleOptions.DEFAULT_COLUMNS;

    /** Rows. */
    @AttributeDefinition(description = "Rows of the console, 1 to 65535.")
    int rows() default ConsoleOptions.DEFAULT_ROWS;

    /** The buffers. */
    @AttributeDefinition(description = "Bytes that a port holds in each direction.")
    int bufferBytes() default ConsoleOptions.DEFAULT_BUFFER_BYTES;

    /** Entries of a queue. */
    @AttributeDefinition(description = "Entries of each queue, a power of two up to 32768.")
    int queueSize() default DEFAULT_QUEUE_SIZE;
  }

  /** Makes the device and registers its function and its host side. */
  @Activate
  public ConsoleComponent(
      final BundleContext context,
      @Reference final DeviceRegions regions,
      @Reference final DeviceRecords records,
      @Reference final DeviceRegistry registry,
      final Map<String, Object> properties) {
    final String pid = String.valueOf(properties.get(Constants.SERVICE_PID));
    device =
        new ConfiguredDevice<>(
            context, registry, pid, () -> make(properties, pid, regions, records, registry));
    final ConsoleDevice console = device.type();
    service =
        console == null
            ? null
            : context.registerService(
                VirtioConsole.class,
                console,
                FrameworkUtil.asDictionary(Map.of(VirtioConsole.NAME, console.name())));
  }

  private static ConfiguredDevice.Made<ConsoleDevice> make(
      final Map<String, Object> properties,
      final String pid,
      final DeviceRegions regions,
      final DeviceRecords records,
      final DeviceRegistry registry) {
    final Properties from = new Properties(properties);
    final ConsoleOptions options = options(from);
    final ErrorLog errors = new ErrorLog(options.name(), System::nanoTime);
    final ConsoleDevice type = new ConsoleDevice(options, errors, true);
    final TransportSettings transport =
        TransportSettings.parse(properties, type.queues(), options.queueSize());
    registry.claim(options.name(), pid);
    return new ConfiguredDevice.Made<>(
        options.name(),
        type,
        transport.function(options.name(), type, regions, records, errors),
        transport,
        () -> records.forget(options.name()));
  }

  private static ConsoleOptions options(final Properties from) {
    final @Nullable String text = from.text("name");
    final String name = text == null ? "" : text;
    BlkSettings.checkName(name);
    final int queueSize = from.number("queueSize", DEFAULT_QUEUE_SIZE, 1, Short.MAX_VALUE + 1);
    BlkSettings.checkQueueSize(queueSize);
    final @Nullable String names = from.text("portNames");
    final List<String> ports =
        names == null ? List.of() : Arrays.stream(names.split(",", -1)).map(String::trim).toList();
    return new ConsoleOptions(
        name,
        from.number("ports", Math.max(1, ports.size()), 1, ConsoleOptions.MOST_PORTS),
        ports,
        from.number("columns", ConsoleOptions.DEFAULT_COLUMNS, 1, 0xffff),
        from.number("rows", ConsoleOptions.DEFAULT_ROWS, 1, 0xffff),
        queueSize,
        from.number("bufferBytes", ConsoleOptions.DEFAULT_BUFFER_BYTES, 1, MOST_BUFFER_BYTES));
  }

  /** Takes the device out; whoever is attached learns of it. */
  @Deactivate
  void deactivate(final int reason) {
    if (service != null) {
      ConfiguredDevice.unregister(service);
    }
    device.close(reason);
  }
}
