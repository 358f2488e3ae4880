package io.carom.benchmarks.storm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * Random bytes of which mappings get their contents: each a page that begins somewhere else, so
 * that no two that live at one time agree, and a byte of another mapping is found out.
 */
final class Contents {
  /** Bytes of a content. */
  static final int SIZE = 4096;

  private static final int STARTS = 1 << 20;

  private final MemorySegment bytes = Arena.ofAuto().allocate(STARTS + SIZE, Long.BYTES);

  Contents(final long seed) {
    final SplittableRandom random = new SplittableRandom(seed);
    for (long at = 0; at < bytes.byteSize(); at += Long.BYTES) {
      bytes.set(ValueLayout.JAVA_LONG, at, random.nextLong());
    }
  }

  /** A place where a content begins, from 64 random bits. */
  static long start(final long random) {
    return random >>> 44 & -Long.BYTES; // 20 bits
  }

  /** Puts the content that begins there to a place. */
  void write(final long start, final MemorySegment to, final long offset) {
    MemorySegment.copy(bytes, start, to, offset, SIZE);
  }

  /** Whether it stands at a place, every byte of it. */
  boolean stands(final long start, final MemorySegment in, final long offset) {
    return MemorySegment.mismatch(bytes, start, start + SIZE, in, offset, offset + SIZE) < 0;
  }
}
