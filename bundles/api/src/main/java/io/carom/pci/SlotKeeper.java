package io.carom.pci;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One incarnation of the bus's view of {@link SlotRecords}. Written through at each change, so that
 * nobody needs to be asked when it goes. Thread-safe.
 */
@ProviderType
public interface SlotKeeper {
  /** What is kept now, by address. */
  List<SlotRecord> slots();

  /** Keeps a slot, in place of what was kept at its address. */
  void keep(SlotRecord record);

  /** Forgets a slot: its function was removed for good. Does nothing where none is kept. */
  void forget(PciAddress address);

  /** The hotplug registers; {@link HotplugState#NONE} until some were kept. */
  HotplugState hotplug();

  /** Keeps the hotplug registers. */
  void keep(HotplugState state);
}
