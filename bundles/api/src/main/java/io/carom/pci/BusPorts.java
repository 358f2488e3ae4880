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
   * Puts an IOMMU between functions and memory, or takes it away. It is asked for the translation
   * of each port that is open now, and of each that is created later before the port can be used.
   * Returns when no access begun before is going on.
   *
   * @param iommu the machine's only IOMMU from now on, or null: bus addresses are physical ones
   * @return false when an access outlived the machine's {@code quiesceTimeoutMs}
   */
  boolean iommu(@Nullable BusIommu iommu);

  /**
   * Takes the IOMMU away until another one comes by {@link #iommu}. A function that it let through
   * still passes; one that it blocked, by the machine's {@code IommuRecords}, is blocked; accesses
   * of those that it translated, and of ports that are created meanwhile, wait for the next IOMMU,
   * and are refused when there is none for the machine's {@code iommuAbsentMs}. None passes
   * untranslated. Returns when no access begun before is going on: nothing calls the IOMMU from
   * then on.
   *
   * <p>The machine does the same by itself when the code of an IOMMU throws.
   *
   * @param iommu who goes; nothing happens when it is not the machine's IOMMU any more
   * @return false when an access outlived {@code quiesceTimeoutMs}
   */
  boolean away(BusIommu iommu);

  /**
   * Changes the translation of a port: what the IOMMU said when it was asked holds no more.
   *
   * @param iommu who says so; when it is not the machine's IOMMU any more nothing is changed or
   *     waited for, and the answer is true
   * @param translation null for identity
   * @return false when no port of that name is open, or an access under the old translation
   *     outlived {@code quiesceTimeoutMs}
   */
  boolean translation(BusIommu iommu, String name, @Nullable Translation translation);

  /**
   * Says that a translation answers otherwise than before. Whoever keeps resolved memory of the
   * port must resolve it again; returns when accesses begun under the old answers have ended.
   *
   * @return false when one outlived {@code quiesceTimeoutMs}
   */
  boolean invalidated(String name);

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
