package io.carom.dma.core.map;

import java.lang.foreign.MemorySegment;

/** Moves the bytes of bounced mappings. A benchmark may put one in that moves nothing. */
@FunctionalInterface
public interface Copier {
  /** Moves them. */
  Copier COPYING = MemorySegment::copy;

  /** Copies {@code size} bytes; both runs are in bounds, checked once more by the segments. */
  void copy(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long size);
}
