package io.carom.pcibus;

import io.carom.memory.AddressMap;
import io.carom.pci.BusPorts;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import io.carom.pci.PciBus;
import io.carom.pci.PciFunction;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;

/** The PCI bus as a component: plugs in every {@link PciFunction} service that comes. */
@Component(immediate = true)
public final class HostBridge implements PciBus {
  private final RootBus bus;

  /** Puts the host bridge into the machine. */
  @Activate
  public HostBridge(
      @Reference final AddressMap map,
      @Reference final BusPorts ports,
      @Reference final MsiController interrupts) {
    bus = new RootBus(map, ports, interrupts);
  }

  /** Takes every function out, then the bridge itself. */
  @Deactivate
  public void deactivate() {
    bus.close();
  }

  /** Plugs a function in, with the properties of its service. */
  @Reference(
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      unbind = "unplug")
  public void plug(final PciFunction function, final Map<String, Object> properties) {
    bus.plug(function, properties.get(PciFunction.NAME), properties.get(PciFunction.SLOT));
  }

  /** Takes a function out. */
  public void unplug(final PciFunction function) {
    bus.unplug(function);
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
