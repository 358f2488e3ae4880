package io.carom.dma.core.debug;

import io.carom.dma.DmaDirection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What dma-debug knows of one mapping or coherent buffer. Made in advance and used again and again.
 * While it is in the {@link EntryTable}, it is guarded by the table's lock; before and after, it is
 * its taker's.
 */
final class DebugEntry {
  @Nullable DebugEntry next; // in the pool's list, or with the same bus address
  @Nullable DebugEntry nextPhysical; // with the same physical address

  @Nullable DeviceDebug device;
  EntryType type = EntryType.SINGLE;
  DmaDirection direction = DmaDirection.BIDIRECTIONAL;
  MapError mapError = MapError.NOT_APPLICABLE;

  /** Bus address. */
  long bus;

  /** Bytes. */
  long size;

  /** Guest-physical address. */
  long physical;

  /** Where the driver sees coherent memory. */
  long cpu;

  /** Entries of the list that it was mapped with, 0 for none. */
  int sgEntries;

  /** Whether the device reaches a copy and not the buffer. */
  boolean bounced;

  /** Whether another mapping of the same bytes may write them: then they have no checksum. */
  boolean overlapped;

  /** Whether its device's accesses have been watched since it was mapped. */
  boolean watched;

  /** Whether {@link #checksum} is that of the bytes that are the device's. */
  boolean hasChecksum;

  int checksum;

  /** Bus addresses that were synced to the CPU and not back. */
  @Nullable Ranges cpuOwned;

  /** Bus addresses that the device wrote since it was mapped. */
  @Nullable Ranges written;

  /** Bus addresses that the device wrote since they were synced to the CPU last. */
  @Nullable Ranges unsynced;

  List<String> mappedAt = List.of();

  DebugEntry() {}

  long busEnd() {
    return bus + size; // both below 2^48: the mapping exists
  }

  long physicalEnd() {
    return physical + size;
  }

  boolean coherent() {
    return type == EntryType.COHERENT;
  }

  boolean coversBus(final long address) {
    return address >= bus && address < busEnd();
  }

  /** Whether all of a part of the mapping is the device's. */
  boolean deviceOwnsAny(final long start, final long end) {
    return cpuOwned == null || !cpuOwned.covers(start, end);
  }

  void reset() {
    next = null;
    nextPhysical = null;
    device = null;
    cpu = 0;
    sgEntries = 0;
    bounced = false;
    overlapped = false;
    watched = false;
    hasChecksum = false;
    cpuOwned = null;
    written = null;
    unsynced = null;
    mappedAt = List.of();
  }
}
