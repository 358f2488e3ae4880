package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The ledgers of all disks, by name and serial, so that they outlive a run and a driver that was
 * bound anew. Thread-safe.
 *
 * <p>A serial that turns up under another name takes nothing along, and what was known of it under
 * a name that no disk has now is dropped: it may have been written meanwhile. So is what was known
 * of a disk before it was unplugged: what is plugged in its place may be another.
 */
final class Ledgers {
  private record Key(String name, String serial, long plugging) {}

  private final Map<Key, DiskLedger> ledgers = new HashMap<>();
  private final LongSupplier firstVersion;

  /**
   * None yet.
   *
   * @param firstVersion version of the first write of a new ledger: higher than those of all
   *     ledgers before it, so that what an earlier one wrote is known to be stale
   */
  Ledgers(final LongSupplier firstVersion) {
    this.firstVersion = firstVersion;
  }

  /** The ledger of a disk, new when the disk is new or has another size. */
  synchronized DiskLedger of(final BlockDevice disk, final List<BlockDevice> present) {
    final Key key = key(disk);
    ledgers
        .keySet()
        .removeIf(
            other ->
                other.name.equals(key.name)
                    ? other.plugging != key.plugging
                    : !other.serial.isBlank()
                        && other.serial.equals(key.serial)
                        && present.stream().noneMatch(d -> d.name().equals(other.name)));
    final long sectors = disk.capacityBytes() >>> SectorDescriptor.SECTOR_SHIFT;
    final DiskLedger known = ledgers.get(key);
    if (known != null && known.sectors() == sectors) {
      return known;
    }
    final DiskLedger made = new DiskLedger(sectors, firstVersion.getAsLong());
    ledgers.put(key, made);
    return made;
  }

  /**
   * Forgets what is known of a name.
   *
   * @return false when a workload is using it
   */
  synchronized boolean forget(final String name) {
    boolean idle = true;
    for (final Map.Entry<Key, DiskLedger> entry : ledgers.entrySet()) {
      if (entry.getKey().name.equals(name) || entry.getKey().serial.equals(name)) {
        final DiskLedger ledger = entry.getValue();
        idle &= ledger.whenIdle(ledger::clear);
      }
    }
    return idle;
  }

  private static Key key(final BlockDevice disk) {
    return new Key(disk.name(), disk.serial(), disk.plugging());
  }
}
