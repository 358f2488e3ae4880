package io.carom.pci;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A function's way to memory. An access to the function's own SWIOTLB range is local: it needs no
 * bus mastering and no translation. Any other is checked for bus mastering, translated by the IOMMU
 * if there is one, freed of the platform's offset, and must then be RAM that is not private.
 *
 * <p>The port is the machine's and outlives the code of the device model. A device uses it through
 * {@link BusSession}s, one per worker thread, so that whoever changes a route (a BAR, bus
 * mastering, a translation, a page state, the epoch) can wait until accesses under the old one have
 * ended.
 */
@ProviderType
public interface BusPort {
  /** The port's name, the function's address. */
  String name();

  /** Opens a session for one thread. */
  BusSession open();

  /**
   * Pages of a confidential guest that are shared with devices now and that this function has
   * reached as system memory: protection that was lifted for it.
   */
  default long unprotectedPages() {
    return 0;
  }

  /** Accesses of this function since it was plugged, by kind. */
  PortCounters counters();

  /**
   * Sends a message-signalled interrupt, a write to the message window: needs bus mastering.
   *
   * @return whether it was sent
   */
  boolean message(long address, int data);
}
