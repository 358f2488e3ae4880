package io.carom.strategies.model;

import java.lang.foreign.MemorySegment;
import java.util.Random;

/** What a piece of memory should hold: the memory, and the model's own bytes beside it. */
final class Shadow {
  private static final int NOISE = 1 << 20;
  private static final byte[] RANDOM = new byte[NOISE];

  static {
    new Random(1).nextBytes(RANDOM); // the same in every run
  }

  /** The real memory. */
  final MemorySegment real;

  /** What it should hold. */
  final MemorySegment expected;

  Shadow(final MemorySegment real) {
    this.real = real;
    expected = MemorySegment.ofArray(new byte[(int) real.byteSize()]);
    expected.copyFrom(real);
  }

  private Shadow(final MemorySegment real, final MemorySegment expected) {
    this.real = real;
    this.expected = expected;
  }

  /** A part of it. */
  Shadow part(final long offset, final long size) {
    return new Shadow(real.asSlice(offset, size), expected.asSlice(offset, size));
  }

  /** Someone writes noise to all of it. */
  void write(final Random random) {
    final MemorySegment noise = noise(random, (int) real.byteSize());
    real.copyFrom(noise);
    expected.copyFrom(noise);
  }

  /** Random bytes, at most 1 MiB. */
  static MemorySegment noise(final Random random, final int size) {
    return MemorySegment.ofArray(RANDOM).asSlice(random.nextInt(NOISE - size + 1), size);
  }

  /** Fails when the memory holds anything else. */
  void check(final String what) {
    final long at = real.mismatch(expected);
    if (at >= 0) {
      throw new AssertionError(what + ": byte " + at + " of " + real.byteSize() + " is wrong");
    }
  }
}
