package io.carom.virtio.device.blk;

import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Where the memory of a disk comes from, piece by piece; it may be there from a disk before. */
public interface MemoryPieces {
  /** Memory that nobody finds again. */
  MemoryPieces NEW =
      new MemoryPieces() {
        @Override
        public @Nullable MemorySegment find(final int piece) {
          return null;
        }

        @Override
        public MemorySegment make(final int piece, final long bytes) {
          return LazyMemory.allocate(bytes);
        }
      };

  /** A piece that was made before, with its bytes; null when there is none. */
  @Nullable MemorySegment find(int piece);

  /**
   * Makes the next piece, zero.
   *
   * @param bytes at least
   * @throws OutOfMemoryError when the host refuses
   */
  MemorySegment make(int piece, long bytes);
}
