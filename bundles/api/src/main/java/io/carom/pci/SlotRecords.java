package io.carom.pci;

import org.osgi.annotation.versioning.ProviderType;

/**
 * What the machine keeps of the slots of the PCI bus, so that the code of the bus can be replaced
 * while a guest uses them. A service of the machine; a reboot forgets all. Thread-safe.
 */
@ProviderType
public interface SlotRecords {
  /**
   * Takes over all records. Every {@link SlotKeeper} that was given before is void from now on, and
   * changes nothing any more.
   */
  SlotKeeper claim();
}
