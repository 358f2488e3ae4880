package io.carom.machine.platform;

import java.lang.foreign.MemorySegment;

/** What lies behind a cache, in lines. Under the lock of the cache. */
interface LineMemory {
  /** log2 of the bytes of a line. */
  int SHIFT = 6;

  /** Bytes of a line. */
  int LINE = 1 << SHIFT;

  /** Takes a line that is written back. */
  void write(long offset, MemorySegment line);

  /** Reads a line as the CPU would now: a write of its own that is under way is seen. */
  void read(long offset, MemorySegment line);

  /** Memory that takes lines at once. */
  static LineMemory direct(final MemorySegment image) {
    return new LineMemory() {
      @Override
      public void write(final long offset, final MemorySegment line) {
        MemorySegment.copy(line, 0, image, offset, LINE);
      }

      @Override
      public void read(final long offset, final MemorySegment line) {
        MemorySegment.copy(image, offset, line, 0, LINE);
      }
    };
  }
}
