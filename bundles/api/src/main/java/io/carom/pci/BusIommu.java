package io.carom.pci;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/** An IOMMU, as the machine's ports see it. Thread-safe. */
@ConsumerType
@FunctionalInterface
public interface BusIommu {
  /**
   * The translation of a port that is open or being opened. Must not block or call the ports.
   *
   * @param port the port's name, the function's address such as {@code 00:04.0}
   * @return null when the IOMMU lets the function through
   */
  @Nullable Translation translation(String port);

  /**
   * The machine has taken it out, see {@link BusPorts#away}, as its code threw. Called once, on the
   * thread of the device that met it, inside a section: must not block or call the ports.
   */
  default void failed(final Throwable why) {}
}
