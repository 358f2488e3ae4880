package io.carom.machine.bus;

import io.carom.memory.MmioHandler;
import io.carom.memory.RegionView;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One range of the address map besides RAM. Addresses are below 2^63, so ends do not wrap. */
sealed interface MapEntry {
  String name();

  long base();

  long size();

  /** Whether all of a run is in the range. */
  default boolean holds(final long address, final long length) {
    final long offset = address - base();
    return offset >= 0 && offset < size() && length <= size() - offset;
  }

  /** Whether any of a run, which does not wrap, is in the range. */
  default boolean touches(final long address, final long length) {
    return address < base() + size() && base() - address < length;
  }

  default String text() {
    return name() + " at 0x" + Long.toHexString(base()) + ", " + size() + " bytes";
  }

  /** Registers behind a handler. */
  record Registers(String name, long base, long size, MmioHandler handler) implements MapEntry {}

  /**
   * Plain memory.
   *
   * @param view how CPUs see it, or null when they cache it coherently
   */
  record Memory(String name, long base, MemorySegment memory, @Nullable RegionView view)
      implements MapEntry {
    @Override
    public long size() {
      return memory.byteSize();
    }
  }

  /** Registers that nobody answers for just now, and that who registers next may have. */
  record Parked(String name, long base, long size, Gate gate) implements MapEntry {}

  /** Space that nothing may be put into and that nothing answers in. */
  record Reserved(String name, long base, long size) implements MapEntry {}
}
