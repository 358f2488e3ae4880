package io.carom.pcibus;

import io.carom.memory.AddressMap;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.pci.PciFunction;
import io.carom.pci.SlotKeeper;
import io.carom.pci.SlotRecords;
import io.carom.virtio.DeviceRecords;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PCI bus as a component: plugs in every {@link PciFunction} service that comes.
 *
 * <p>A changed configuration counts from the next function that goes away on; a bad value is one
 * line in the log and changes nothing.
 */
@Component(name = HostBridge.PID, immediate = true)
@Designate(ocd = HostBridge.Config.class)
public final class HostBridge implements PciBus {
  static final String PID = "io.carom.pcibus";

  private static final Logger LOG = LoggerFactory.getLogger(HostBridge.class);

  /** Configuration of the bus. */
  @ObjectClassDefinition(name = "Carom PCI bus", description = "What the bus waits for")
  public @interface Config {
    /** How long a slot is kept for a function that is away. */
    @AttributeDefinition(
        name = "Absent timeout (ms)",
        description =
            "How long a slot is kept, and accesses to it wait, while its device model is replaced")
    int absentTimeoutMs() default BusSettings.DEFAULT_ABSENT_TIMEOUT_MS;

    /** How long a function that goes may take. */
    @AttributeDefinition(
        name = "Detach timeout (ms)",
        description =
            "How long a function that goes is waited for: its accesses in flight, and what it does"
                + " when it is told")
    int detachTimeoutMs() default BusSettings.DEFAULT_DETACH_TIMEOUT_MS;
  }

  private final RootBus bus;
  private volatile @Nullable DeviceRecords records;

  /** Puts the host bridge into the machine. */
  @Activate
  public HostBridge(
      @Reference final AddressMap map,
      @Reference final BusPorts ports,
      @Reference final MsiController interrupts,
      @Reference final SlotRecords slots,
      final Config config) {
    this(map, ports, interrupts, slots.claim(), read(config, BusSettings.DEFAULT));
  }

  /** Puts a host bridge into a machine that is no component; nothing is left when it goes. */
  public HostBridge(final AddressMap map, final BusPorts ports, final MsiController interrupts) {
    this(map, ports, interrupts, null, BusSettings.DEFAULT);
  }

  private HostBridge(
      final AddressMap map,
      final BusPorts ports,
      final MsiController interrupts,
      final @Nullable SlotKeeper keeper,
      final BusSettings settings) {
    bus = new RootBus(map, ports, interrupts, keeper, settings, this::forget);
  }

  private static BusSettings read(final Config config, final BusSettings otherwise) {
    try {
      return BusSettings.of(config.absentTimeoutMs(), config.detachTimeoutMs());
    } catch (final IllegalArgumentException e) {
      LOG.error(
          "{}; absentTimeoutMs={} detachTimeoutMs={} are in force",
          e.getMessage(),
          otherwise.absent().toMillis(),
          otherwise.detach().toMillis());
      return otherwise;
    }
  }

  @Modified
  void modified(final Config config) {
    bus.settings(read(config, bus.settings()));
  }

  /** What is in force. */
  BusSettings settings() {
    return bus.settings();
  }

  /**
   * Leaves to the next bus what it can go on with, and takes the rest out. When the framework
   * itself goes down no bus comes, and nobody is to wait for one.
   */
  @Deactivate
  void deactivate(final BundleContext context) {
    final Bundle system = context.getBundle(Constants.SYSTEM_BUNDLE_ID);
    if (system != null && system.getState() == Bundle.STOPPING) {
      bus.end();
    } else {
      bus.close();
    }
  }

  /** The same for one that is no component. */
  public void deactivate() {
    bus.close();
  }

  /** Plugs a function in, with the properties of its service. */
  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "unplug")
  public void plug(final PciFunction function, final Map<String, Object> properties) {
    bus.plug(
        function,
        properties.get(PciFunction.NAME),
        properties.get(PciFunction.SLOT),
        properties.get(PciFunction.KEEP));
  }

  /** The service of a function goes. */
  public void unplug(final PciFunction function) {
    bus.unplug(function);
  }

  /** Who keeps what devices need to be replaced came. */
  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY,
      unbind = "unsetRecords")
  public void setRecords(final DeviceRecords keeper) {
    records = keeper;
  }

  /** Who keeps what devices need to be replaced went. */
  public void unsetRecords(final DeviceRecords keeper) {
    if (records == keeper) {
      records = null;
    }
  }

  private void forget(final String name) {
    final DeviceRecords keeper = records;
    if (keeper != null) {
      keeper.forget(name);
    }
  }

  @Override
  public List<Plugged> functions() {
    return bus.functions();
  }

  @Override
  public boolean eject(final PciAddress address, final Duration timeout) {
    return bus.eject(address, timeout);
  }
}
