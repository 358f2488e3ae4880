package io.carom.pci;

import java.time.Duration;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** The host bridge's management side: a service of the bus. Thread-safe. */
@ProviderType
public interface PciBus {
  /** The plugged functions, by address. */
  List<Plugged> functions();

  /**
   * Asks the guest to let a function go and waits until it ejects it.
   *
   * @return true when the guest ejected it, false when the deadline passed; it is still plugged
   *     then
   * @throws IllegalArgumentException when no function is plugged there; the message lists those
   *     that are
   */
  boolean eject(PciAddress address, Duration timeout);

  /**
   * A plugged function.
   *
   * @param address where
   * @param name the service property {@link PciFunction#NAME}
   * @param counters its accesses
   * @param present false while its device model is away and its slot is kept
   */
  record Plugged(PciAddress address, String name, PortCounters counters, boolean present) {}
}
