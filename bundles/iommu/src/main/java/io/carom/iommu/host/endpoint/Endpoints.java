package io.carom.iommu.host.endpoint;

import io.carom.iommu.host.fault.FaultLog;
import io.carom.iommu.host.table.Domain;
import io.carom.pci.PciAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The endpoints by the name of their port, made when first named by a port or a request.
 * Thread-safe.
 */
public final class Endpoints {
  /** The host bridge: always there, and does no DMA. */
  public static final int HOST_BRIDGE = 0;

  private static final int NUMBERS = 1 << 16;
  private static final int BUS_SHIFT = 8;
  private static final int DEVICE_SHIFT = 3;

  private final Map<String, Endpoint> byPort = new ConcurrentHashMap<>();
  private final PortGate gate;
  private final FaultLog faults;
  private volatile @Nullable String own;

  /** None yet. */
  public Endpoints(final PortGate gate, final FaultLog faults) {
    this.gate = gate;
    this.faults = faults;
  }

  /** The port of the IOMMU's own function, which is no endpoint. */
  public void own(final @Nullable String port) {
    own = port;
  }

  /** Whether a port is that of the IOMMU's own function. */
  public boolean isOwn(final String port) {
    return port.equals(own);
  }

  /** The endpoint of a port. */
  public Endpoint of(final String port) {
    return byPort.computeIfAbsent(port, name -> new Endpoint(name, number(name), faults));
  }

  /** The number of a port's endpoint; one that no request can name for a port of another name. */
  private static int number(final String port) {
    try {
      final PciAddress address = PciAddress.parse(port);
      return address.bus() << BUS_SHIFT | address.devfn();
    } catch (final IllegalArgumentException e) {
      return -1;
    }
  }

  /**
   * The endpoint that a request names: one whose function is plugged, or that is still attached.
   *
   * @return null when there is none
   */
  public @Nullable Endpoint find(final int number) {
    if (number < 0 || number >= NUMBERS) {
      return null;
    }
    final int devfn = number & ((1 << BUS_SHIFT) - 1);
    final String port =
        new PciAddress(
                number >> BUS_SHIFT, devfn >> DEVICE_SHIFT, devfn & ((1 << DEVICE_SHIFT) - 1))
            .toString();
    if (isOwn(port)) {
      return null;
    }
    final Endpoint known = byPort.get(port);
    if (known != null && (known.domain() != null || known.held())) {
      return known;
    }
    return number == HOST_BRIDGE || gate.functions().contains(port) ? of(port) : null;
  }

  /** All that were named. */
  public Collection<Endpoint> all() {
    return byPort.values();
  }

  /** Those that are attached to a domain, by number. */
  public List<Endpoint> attached(final Domain domain) {
    return byPort.values().stream()
        .filter(endpoint -> endpoint.domain() == domain)
        .sorted(Comparator.comparingInt(Endpoint::number))
        .toList();
  }
}
