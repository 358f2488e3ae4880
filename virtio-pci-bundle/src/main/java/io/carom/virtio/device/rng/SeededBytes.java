package io.carom.virtio.device.rng;

import java.util.Random;

/**
 * The bytes of {@link Random} from a seed, with a position that can be told and gone on from: its
 * generator, a linear congruence of 48 bits, is specified there. For tests; nothing about it is
 * random. One thread at a time.
 */
public final class SeededBytes extends Random {
  private static final long serialVersionUID = 1;
  private static final long MULTIPLIER = 0x5DEECE66DL;
  private static final long INCREMENT = 0xBL;
  private static final int STATE_BITS = 48;
  private static final long MASK = (1L << STATE_BITS) - 1;

  private final long seed;
  private long state;

  /** The bytes of a seed, from the first. */
  public SeededBytes(final long seed) {
    super(seed);
    this.seed = seed;
    state = (seed ^ MULTIPLIER) & MASK;
  }

  @Override
  protected int next(final int bits) {
    state = state * MULTIPLIER + INCREMENT & MASK; // modulo 2^48, as it is meant
    return (int) (state >>> (STATE_BITS - bits));
  }

  long seed() {
    return seed;
  }

  /** Where it is; of 48 bits. */
  long position() {
    return state;
  }

  /** Goes on from a position of the same seed. */
  void position(final long position) {
    state = position & MASK;
  }
}
