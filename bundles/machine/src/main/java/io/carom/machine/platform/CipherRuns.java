package io.carom.machine.platform;

import io.carom.memory.PhysicalLayout;
import io.carom.pci.BusRun;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What one session of a port sees of memory that it addresses the wrong way around the cipher.
 *
 * <p>There is no memory that holds it, so it is made when the run is resolved, and what the device
 * changed in it goes back through the cipher when the device settles or ends its section. Limits:
 * changes by CPUs in between do not show, the device's own show to CPUs only then, and what a
 * device writes to such a run after that is lost. Runs addressed the right way are the memory
 * itself and have none of this. It allocates, as nothing that works comes here.
 *
 * <p>Used by the session's thread only.
 */
public final class CipherRuns {
  private record Run(MemorySegment seen, MemorySegment before, long offset, boolean withBit) {}

  private final EncryptionBit cipher;
  private final MemorySegment memory;
  private final List<Run> runs = new ArrayList<>();

  /**
   * None yet.
   *
   * @param memory all RAM as devices see it behind the cipher
   */
  CipherRuns(final EncryptionBit cipher, final MemorySegment memory) {
    this.cipher = cipher;
    this.memory = memory;
  }

  /**
   * Resolves a run of RAM.
   *
   * @param busAddress how it is addressed
   * @param writes whether what is changed in it goes back
   */
  public void resolve(
      final long busAddress,
      final long offset,
      final long length,
      final boolean writes,
      final BusRun into) {
    final boolean withBit = cipher.isSet(busAddress);
    if (cipher.agrees(withBit, offset, length)) {
      into.set(memory, offset);
      return;
    }
    // As long as someone asked for in one piece, which is a guest's descriptor: bounded by RAM.
    final MemorySegment seen = MemorySegment.ofArray(new byte[Math.toIntExact(length)]);
    MemorySegment.copy(memory, offset, seen, 0, length);
    for (long i = 0; i < length; i++) {
      cross(seen, i, offset, withBit);
    }
    if (writes) {
      final MemorySegment before = MemorySegment.ofArray(new byte[Math.toIntExact(length)]);
      runs.add(new Run(seen, before.copyFrom(seen), offset, withBit));
    }
    into.set(seen, 0);
  }

  /** Puts back what the device changed. */
  public void settle() {
    if (runs.isEmpty()) {
      return;
    }
    for (final Run run : runs) {
      for (long i = run.seen.mismatch(run.before); i >= 0; i = next(run, i + 1)) {
        final byte written = run.seen.get(ValueLayout.JAVA_BYTE, i);
        final byte stored = (byte) (written ^ padOf(run.offset + i, run.withBit));
        memory.set(ValueLayout.JAVA_BYTE, run.offset + i, stored);
      }
    }
    runs.clear();
  }

  private static long next(final Run run, final long from) {
    final long size = run.seen.byteSize();
    final long found = MemorySegment.mismatch(run.seen, from, size, run.before, from, size);
    return found < 0 ? -1 : from + found;
  }

  private void cross(
      final MemorySegment seen, final long at, final long offset, final boolean withBit) {
    final byte plain = seen.get(ValueLayout.JAVA_BYTE, at);
    seen.set(ValueLayout.JAVA_BYTE, at, (byte) (plain ^ padOf(offset + at, withBit)));
  }

  /** What separates the two views of a byte; nothing in a page that is addressed as CPUs do. */
  private byte padOf(final long offset, final boolean withBit) {
    final long page = offset & -PhysicalLayout.PAGE_SIZE;
    return cipher.agrees(withBit, page, 1) ? 0 : EncryptionBit.pad(offset);
  }
}
