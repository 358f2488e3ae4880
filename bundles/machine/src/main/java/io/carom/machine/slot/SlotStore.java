package io.carom.machine.slot;

import io.carom.pci.HotplugState;
import io.carom.pci.PciAddress;
import io.carom.pci.SlotKeeper;
import io.carom.pci.SlotRecord;
import io.carom.pci.SlotRecords;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Slots by address, immutable each. The monitor guards which there are and who may change them. */
public final class SlotStore implements SlotRecords {
  private final Map<PciAddress, SlotRecord> slots =
      new TreeMap<>(Comparator.comparingInt(PciAddress::bus).thenComparingInt(PciAddress::devfn));
  private HotplugState hotplug = HotplugState.NONE;
  private @Nullable Keeper holder;

  /** Nothing is kept. */
  public SlotStore() {}

  @Override
  public synchronized SlotKeeper claim() {
    final Keeper next = new Keeper();
    holder = next;
    return next;
  }

  private final class Keeper implements SlotKeeper {
    @Override
    public List<SlotRecord> slots() {
      synchronized (SlotStore.this) {
        return List.copyOf(slots.values());
      }
    }

    @Override
    public void keep(final SlotRecord record) {
      synchronized (SlotStore.this) {
        if (holder == this) {
          slots.put(record.address(), record);
        }
      }
    }

    @Override
    public void forget(final PciAddress address) {
      synchronized (SlotStore.this) {
        if (holder == this) {
          slots.remove(address);
        }
      }
    }

    @Override
    public HotplugState hotplug() {
      synchronized (SlotStore.this) {
        return hotplug;
      }
    }

    @Override
    public void keep(final HotplugState state) {
      synchronized (SlotStore.this) {
        if (holder == this) {
          hotplug = state;
        }
      }
    }
  }
}
