package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegions;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.VirtioDeviceInfo;
import io.carom.virtio.VirtioHost;
import io.carom.virtio.VirtioState;
import io.carom.virtio.device.host.DeviceRegistry.Device;
import io.carom.virtio.device.state.VirtioStateCodec;
import io.carom.virtio.device.transport.VirtioPciFunction;
import java.io.IOException;
import java.time.Duration;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/**
 * Manages devices through their factory configurations; {@link BlkComponent} makes them. Those that
 * {@link ModelComponent} makes of services are shown, and come and go with their services.
 */
@Component(service = VirtioHost.class)
public final class VirtioHostComponent implements VirtioHost {
  /** How long a device may take to be made and plugged, or to go. */
  private static final long CHANGE_TIMEOUT_MS = 10_000;

  /** How long the bus may take to plug a function that is registered; it does so at once. */
  private static final long PLUG_TIMEOUT_MS = 2_000;

  private static final long POLL_MS = 5;

  private static final String PID_PREFIX = "io.carom.virtio.";

  /** Types that a configuration can make. */
  private static final List<String> TYPES = List.of("blk", "console", "net", "rng");

  private final ConfigurationAdmin configurations;
  private final DeviceRegistry registry;
  private final DeviceRegions regions;

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  private volatile @Nullable PciBus bus;

  /** The service. */
  @Activate
  public VirtioHostComponent(
      @Reference final ConfigurationAdmin configurations,
      @Reference final DeviceRegistry registry,
      @Reference final DeviceRegions regions) {
    this.configurations = configurations;
    this.registry = registry;
    this.regions = regions;
  }

  @Override
  public List<VirtioDeviceInfo> devices() {
    return registry.devices().stream().map(device -> function(device).info()).toList();
  }

  private static VirtioPciFunction function(final Device device) {
    return Objects.requireNonNull(device.function());
  }

  @Override
  public VirtioDeviceInfo addBlk(final BlkSpec spec) {
    BlkSettings.check(spec);
    return add(BlkComponent.PID, spec.name(), spec.slot(), properties(spec));
  }

  @Override
  public VirtioDeviceInfo add(final String type, final Map<String, Object> properties) {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(
          "type=" + type + " is none of " + String.join(", ", TYPES));
    }
    final String name = String.valueOf(properties.getOrDefault("name", ""));
    BlkSettings.checkName(name);
    final Object slot = properties.get("slot");
    return add(
        PID_PREFIX + type,
        name,
        slot == null ? null : slot.toString(),
        FrameworkUtil.asDictionary(properties));
  }

  private VirtioDeviceInfo add(
      final String factory,
      final String name,
      final @Nullable String slot,
      final Dictionary<String, Object> properties) {
    final String pid = factory + "~" + name;
    checkSlot(slot);
    create(factory, name, pid, properties);
    final boolean answered =
        await(
            CHANGE_TIMEOUT_MS,
            () -> registry.device(name).isPresent() || registry.failure(pid).isPresent());
    final Device device = registry.device(name).orElse(null);
    final String problem;
    if (device == null) {
      problem =
          registry
              .failure(pid)
              .orElse("name=" + name + ": no device was made within " + CHANGE_TIMEOUT_MS + " ms");
    } else if (bus != null && !await(PLUG_TIMEOUT_MS, () -> function(device).isPlugged())) {
      problem =
          "name="
              + name
              + ": the PCI bus did not plug it in within "
              + PLUG_TIMEOUT_MS
              + " ms; is slot="
              + slot
              + " taken?";
    } else {
      return function(device).info();
    }
    delete(pid);
    if (answered) {
      // else the next one of that name would be refused for what was wrong with this one
      await(CHANGE_TIMEOUT_MS, () -> !registry.taken(name) && registry.failure(pid).isEmpty());
    }
    throw new IllegalArgumentException(problem);
  }

  /** Refuses a slot that is taken now; who takes it between this and plugging is found there. */
  private void checkSlot(final @Nullable String slot) {
    final PciBus pci = bus;
    if (pci == null || slot == null) {
      return;
    }
    final PciAddress wanted = PciAddress.parse(slot);
    for (final PciBus.Plugged plugged : pci.functions()) {
      if (plugged.address().equals(wanted)) {
        throw new IllegalArgumentException(
            "slot="
                + slot
                + " is taken by "
                + plugged.name()
                + ": choose another, or none for the first free one");
      }
    }
  }

  private synchronized void create(
      final String factory,
      final String name,
      final String pid,
      final Dictionary<String, Object> properties) {
    if (registry.taken(name) || find(pid) != null) {
      throw new IllegalArgumentException(
          "name=" + name + " is taken: choose another name, or remove that device first");
    }
    try {
      configurations.getFactoryConfiguration(factory, name, "?").update(properties);
    } catch (final IOException e) {
      throw new IllegalArgumentException(
          "name=" + name + ": its configuration cannot be stored: " + e.getMessage(), e);
    }
  }

  private static Dictionary<String, Object> properties(final BlkSpec spec) {
    final Map<String, Object> properties = new HashMap<>();
    properties.put("name", spec.name());
    properties.put("backend", spec.backend());
    final String file = spec.file();
    if (file != null) {
      properties.put("file", file);
    }
    properties.put("sizeBytes", spec.sizeBytes());
    properties.put("readOnly", spec.readOnly());
    properties.put("queues", spec.queues());
    properties.put("queueSize", spec.queueSize());
    properties.put("policy", spec.policy().name().toLowerCase(Locale.ROOT));
    properties.put("regionBytes", spec.regionBytes());
    final String slot = spec.slot();
    if (slot != null) {
      properties.put("slot", slot);
    }
    return FrameworkUtil.asDictionary(properties);
  }

  @Override
  public VirtioState save(final String name) {
    return function(registry.device(name).orElseThrow(() -> unknown(name))).save();
  }

  @Override
  public void restore(final String name, final VirtioState state) {
    function(registry.device(name).orElseThrow(() -> unknown(name))).restore(state);
  }

  @Override
  public byte[] writeState(final VirtioState state) {
    return VirtioStateCodec.write(state);
  }

  @Override
  public VirtioState readState(final byte[] bytes) {
    return VirtioStateCodec.read(bytes);
  }

  @Override
  public boolean remove(final String name, final Duration timeout, final boolean force) {
    final Device device = registry.device(name).orElseThrow(() -> unknown(name));
    if (device.pid().startsWith(ModelComponent.PID_PREFIX)) {
      throw new IllegalArgumentException(
          "device '"
              + name
              + "' is there as long as the service that brings it ("
              + function(device).info().backend()
              + "): stop that bundle instead");
    }
    final String address = function(device).info().address();
    final PciBus pci = bus;
    if (!force
        && address != null
        && pci != null
        && !pci.eject(PciAddress.parse(address), timeout)) {
      return false;
    }
    function(device).leaving(true); // whoever takes it out does so for good
    delete(device.pid());
    await(CHANGE_TIMEOUT_MS, () -> !registry.taken(name));
    regions.remove(name);
    return true;
  }

  @Override
  public VirtioDeviceInfo resize(final String name, final long sizeBytes) {
    final Device device = registry.device(name).orElseThrow(() -> unknown(name));
    registry
        .disk(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "device '"
                        + name
                        + "' is no disk ("
                        + function(device).info().type()
                        + "): only a blk device has a size"))
        .accept(sizeBytes);
    store(device.pid(), sizeBytes);
    return function(device).info();
  }

  /** So that the disk has this size when it is made anew. */
  private void store(final String pid, final long sizeBytes) {
    final Configuration configuration = find(pid);
    if (configuration == null) {
      return; // it has just been removed
    }
    try {
      final Dictionary<String, Object> properties = configuration.getProperties();
      properties.put("sizeBytes", sizeBytes);
      configuration.updateIfDifferent(properties);
    } catch (final IOException e) {
      throw new IllegalStateException("configuration " + pid + " cannot be stored", e);
    }
  }

  private IllegalArgumentException unknown(final String name) {
    final List<String> names = registry.devices().stream().map(Device::name).toList();
    return new IllegalArgumentException(
        "there is no device '"
            + name
            + "': "
            + (names.isEmpty() ? "there are none" : "there are " + String.join(", ", names)));
  }

  private @Nullable Configuration find(final String pid) {
    try {
      // a device name has no character that a filter would have to escape
      final Configuration[] found = configurations.listConfigurations("(service.pid=" + pid + ")");
      return found == null ? null : found[0];
    } catch (final IOException | InvalidSyntaxException e) {
      throw new IllegalStateException("configuration " + pid + " cannot be read", e);
    }
  }

  private void delete(final String pid) {
    final Configuration configuration = find(pid);
    if (configuration != null) {
      try {
        configuration.delete();
      } catch (final IOException e) {
        throw new IllegalStateException("configuration " + pid + " cannot be deleted", e);
      }
    }
  }

  /** Waits for a condition, for a bounded time. */
  private static boolean await(final long timeoutMs, final BooleanSupplier condition) {
    final long deadline = System.nanoTime() + Duration.ofMillis(timeoutMs).toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      try {
        Thread.sleep(POLL_MS);
      } catch (final InterruptedException e) {
        Thread.currentThread().interrupt();
        return condition.getAsBoolean();
      }
    }
    return true;
  }
}
