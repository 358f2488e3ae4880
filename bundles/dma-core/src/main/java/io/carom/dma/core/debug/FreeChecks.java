package io.carom.dma.core.debug;

import io.carom.dma.Violation;

/** What can be wrong with an unmap of something that is mapped. */
final class FreeChecks {
  private FreeChecks() {}

  /** Compares a call with the entry that it means. Under the table's lock. */
  static void check(final DebugEntry entry, final Reference call, final Findings findings) {
    final long bus = call.bus();
    if (call.size() != entry.size) {
      findings.add(
          Violation.FREE_SIZE,
          bus,
          Texts.address(bus)
              + " [map size="
              + entry.size
              + " bytes] [unmap size="
              + call.size()
              + " bytes]",
          entry);
    }
    if (!sameFunction(entry.type, call.type())) {
      findings.add(
          Violation.FREE_FUNCTION,
          bus,
          Texts.addressAndSize(bus, call.size()) + Texts.mappedAs(entry.type, call.type()),
          entry);
    }
    if (call.type() == EntryType.SG
        && entry.type == EntryType.SG
        && call.sgEntries() != entry.sgEntries) {
      findings.addOnce(
          Violation.FREE_SG_COUNT,
          bus,
          " [map count=" + entry.sgEntries + "] [unmap count=" + call.sgEntries() + "]",
          entry);
    }
    if (call.type() == EntryType.SG
        && entry.type == EntryType.SG
        && call.physical() != entry.physical) {
      findings.addOnce(Violation.STALE_SG_ADDRESS, bus, Texts.address(bus), entry);
    }
    if (call.direction() != entry.direction) {
      findings.add(
          Violation.FREE_DIRECTION,
          bus,
          Texts.addressAndSize(bus, call.size())
              + Texts.mappedWith(entry.direction, "unmapped", call.direction()),
          entry);
    }
  }

  /** What was found in addition once it is clear that the unmap is meant for the entry. */
  static void checkError(final DebugEntry entry, final Findings findings) {
    if (entry.mapError == MapError.NOT_CHECKED) {
      entry.mapError = MapError.CHECKED; // said once
      findings.add(
          Violation.MAP_ERROR_UNCHECKED,
          entry.bus,
          Texts.addressAndSize(entry.bus, entry.size).substring(1) // the kernel has no blank here
              + " [mapped as "
              + entry.type
              + "]",
          entry);
    }
  }

  /** What a device wrote of a buffer that it was to fill. */
  static void checkWritten(final DebugEntry entry, final Findings findings) {
    if (!entry.watched || entry.written == null) {
      return; // nothing written at all is a request that failed, not a short one
    }
    final long bytes = entry.written.count(entry.bus, entry.busEnd());
    if (bytes < entry.size) {
      findings.add(
          Violation.SHORT_WRITE,
          entry.bus,
          Texts.address(entry.bus)
              + " [map size="
              + entry.size
              + " bytes] [written="
              + bytes
              + " bytes]",
          entry);
    }
  }

  /** {@code unmap} ends both single mappings and resources. */
  private static boolean sameFunction(final EntryType mapped, final EntryType call) {
    return mapped == call || (mapped == EntryType.RESOURCE && call == EntryType.SINGLE);
  }
}
