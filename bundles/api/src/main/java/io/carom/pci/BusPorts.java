package io.carom.pci;

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
}
