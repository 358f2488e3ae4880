package io.carom.pci;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** The machine's bus ports: a service. Thread-safe. */
@ProviderType
public interface BusPorts {
  /**
   * Creates the port of a function.
   *
   * @param name unique among open ports, the function's address
   * @throws IllegalStateException when a port of that name is open
   */
  PortControl create(String name);

  /**
   * Watches a port, or watches it no more. Returns when no section under the watch before is open,
   * at most after the machine's {@code quiesceTimeoutMs}: from then on that watch is not called.
   * Ports that nobody watches do not pay for it. Not to be called inside a section.
   *
   * @param name the port's name
   * @param watch the only watch of that port from now on, or null
   * @return false when no port of that name is open; the watch is not kept for a later one
   */
  boolean watch(String name, @Nullable PortWatch watch);
}
