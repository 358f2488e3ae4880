package io.carom.benchmarks.measure;

import java.lang.foreign.MemorySegment;

/**
 * The copies of a mapping without the mapping: from a buffer to one place after another, and back
 * where the direction asks for it. With one place it is a hot copy.
 */
public final class CopyLoop extends Loop {
  private final MemorySegment buffer;
  private final long bufferOffset;
  private final MemorySegment places;
  private final long[] offsets;
  private final long size;
  private final boolean back;
  private int next;

  /**
   * Copies between a buffer and places.
   *
   * @param offsets offsets in {@code places}, at least one
   * @param back whether each is copied back too
   */
  public CopyLoop(
      final MemorySegment buffer,
      final long bufferOffset,
      final MemorySegment places,
      final long[] offsets,
      final long size,
      final boolean back) {
    this.buffer = buffer;
    this.bufferOffset = bufferOffset;
    this.places = places;
    this.offsets = offsets.clone();
    this.size = size;
    this.back = back;
  }

  @Override
  protected long run(final long operations) {
    int at = next;
    for (long i = 0; i < operations; i++) {
      final long offset = offsets[at];
      at = at + 1 == offsets.length ? 0 : at + 1;
      MemorySegment.copy(buffer, bufferOffset, places, offset, size);
      if (back) {
        MemorySegment.copy(places, offset, buffer, bufferOffset, size);
      }
    }
    next = at;
    return 0;
  }
}
