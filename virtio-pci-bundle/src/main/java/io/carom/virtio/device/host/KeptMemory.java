package io.carom.virtio.device.host;

import io.carom.memory.DeviceRegion;
import io.carom.memory.DeviceRegions;
import io.carom.memory.PhysicalLayout;
import io.carom.virtio.device.blk.MemoryPieces;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a disk in memory, which the machine keeps under names that no device can have:
 * {@code disk NAME 0} and so on for what it grew by. They outlive the disk's device until its
 * configuration is deleted.
 */
final class KeptMemory implements MemoryPieces {
  private final DeviceRegions regions;
  private final String name;

  KeptMemory(final DeviceRegions regions, final String name) {
    this.regions = regions;
    this.name = name;
  }

  @Override
  public @Nullable MemorySegment find(final int piece) {
    return regions.find(key(name, piece)).map(DeviceRegion::memory).orElse(null);
  }

  @Override
  public MemorySegment make(final int piece, final long bytes) {
    final long page = PhysicalLayout.PAGE_SIZE;
    // no overflow: what is near the largest long is refused by the host
    return regions.region(key(name, piece), (bytes + page - 1) / page * page).memory();
  }

  private static String key(final String name, final int piece) {
    return "disk " + name + " " + piece;
  }

  /** Forgets a disk's bytes. */
  static void remove(final DeviceRegions regions, final String name) {
    for (int piece = 0; ; piece++) {
      final Optional<DeviceRegion> there = regions.find(key(name, piece));
      if (there.isEmpty()) {
        return;
      }
      regions.remove(key(name, piece));
    }
  }
}
