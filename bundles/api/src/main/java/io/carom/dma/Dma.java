package io.carom.dma;

import org.osgi.annotation.versioning.ProviderType;

/** The DMA core's entry for bus code: a service of the core. Thread-safe. */
@ProviderType
public interface Dma {
  /**
   * Makes a device known.
   *
   * @throws IllegalStateException when one of that name is attached
   * @throws IllegalArgumentException when its region is misaligned or smaller than its reserve plus
   *     one slot set
   */
  DmaDevice attach(DmaDeviceSpec spec);
}
