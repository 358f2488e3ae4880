package io.carom.dma.core.map;

import io.carom.dma.core.pool.Backing;
import java.lang.foreign.MemorySegment;

/** Moves the bytes of bounced mappings. A benchmark may put one in that moves nothing. */
@FunctionalInterface
public interface Copier extends Backing.Mover {
  /** Moves them. */
  Copier COPYING = MemorySegment::copy;

  /** Copies {@code size} bytes; both runs are in bounds, checked once more by the segments. */
  @Override
  void copy(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long size);
}
