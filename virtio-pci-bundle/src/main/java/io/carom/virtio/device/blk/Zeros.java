package io.carom.virtio.device.blk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A run of zeros, to be written. */
final class Zeros {
  private static final long BYTES = 256 << 10;

  /** Read-only. */
  static final MemorySegment MEMORY = Arena.ofAuto().allocate(BYTES).asReadOnly();

  private Zeros() {}
}
