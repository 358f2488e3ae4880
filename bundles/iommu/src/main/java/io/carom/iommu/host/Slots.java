package io.carom.iommu.host;

import io.carom.pci.PciBus;
import io.carom.pci.PciBus.Plugged;
import java.util.List;
import org.osgi.framework.BundleContext;
import org.osgi.util.tracker.ServiceTracker;

/**
 * The functions on the bus. The IOMMU does not go with the bus: while that is away, as when it is
 * updated, functions are what they were. Thread-safe.
 */
final class Slots implements AutoCloseable {
  private final ServiceTracker<PciBus, PciBus> buses;
  private final String own;
  private volatile List<Plugged> last = List.of();

  /**
   * Looks for the bus.
   *
   * @param own name of the IOMMU's own function
   */
  Slots(final BundleContext context, final String own) {
    this.own = own;
    buses = new ServiceTracker<>(context, PciBus.class, null);
    buses.open();
  }

  private List<Plugged> now() {
    final PciBus bus = buses.getService();
    if (bus != null) {
      last = bus.functions();
    }
    return last;
  }

  /** The addresses of functions. */
  List<String> functions() {
    return now().stream().map(plugged -> plugged.address().toString()).toList();
  }

  /** Whether the bus has the IOMMU's function, present or not; true while nobody knows. */
  boolean kept() {
    return buses.getService() == null
        || now().stream().anyMatch(plugged -> plugged.name().equals(own));
  }

  @Override
  public void close() {
    buses.close();
  }
}
