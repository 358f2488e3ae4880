package io.carom.dma.core.debug;

import io.carom.dma.DmaDirection;
import io.carom.dma.Violation;

/** What can be wrong with a sync of something that is mapped. */
final class SyncChecks {
  private SyncChecks() {}

  /** Compares a call with the entry that holds its first byte. Under the table's lock. */
  static void check(
      final DebugEntry entry, final Reference call, final boolean forCpu, final Findings findings) {
    final long offset = call.bus() - entry.bus;
    if (call.size() < 0 || call.size() > entry.size - offset) {
      findings.add(
          Violation.SYNC_OUT_OF_RANGE,
          call.bus(),
          Texts.address(entry.bus)
              + " [allocation size="
              + entry.size
              + " bytes] [sync offset+size="
              + (offset + call.size())
              + "]",
          entry);
    }
    if (call.type() == EntryType.SG && entry.type == EntryType.SG) {
      checkSg(entry, call, findings);
    }
    final DmaDirection mapped = entry.direction;
    if (mapped == DmaDirection.BIDIRECTIONAL) {
      return;
    }
    final DmaDirection synced = call.direction();
    final String both =
        Texts.addressAndSize(call.bus(), entry.size) + Texts.mappedWith(mapped, "synced", synced);
    if (synced != mapped) {
      findings.add(Violation.SYNC_DIRECTION, call.bus(), both, entry);
    }
    if (forCpu && mapped == DmaDirection.TO_DEVICE && synced != DmaDirection.TO_DEVICE) {
      findings.add(Violation.SYNC_READ_ONLY, call.bus(), both, entry);
    }
    if (!forCpu && mapped == DmaDirection.FROM_DEVICE && synced != DmaDirection.FROM_DEVICE) {
      findings.add(Violation.SYNC_WRITE_ONLY, call.bus(), both, entry);
    }
  }

  private static void checkSg(
      final DebugEntry entry, final Reference call, final Findings findings) {
    if (call.sgEntries() != entry.sgEntries) {
      findings.addOnce(
          Violation.SYNC_SG_COUNT,
          call.bus(),
          " [map count=" + entry.sgEntries + "] [sync count=" + call.sgEntries() + "]",
          entry);
    }
    final long offset = call.bus() - entry.bus;
    if (call.physical() != entry.physical + offset) {
      findings.addOnce(Violation.STALE_SG_ADDRESS, call.bus(), Texts.address(call.bus()), entry);
    } else if (offset != 0 || call.size() < entry.size) {
      findings.addOnce(
          Violation.SYNC_SG_INTERIOR,
          call.bus(),
          Texts.address(entry.bus)
              + " [map size="
              + entry.size
              + " bytes] [sync offset="
              + offset
              + "] [sync size="
              + call.size()
              + " bytes]",
          entry);
    }
  }
}
