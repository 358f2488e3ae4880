package io.carom.guest.shim.fio;

/**
 * The order in which a job visits the blocks of its area: ascending, or a random permutation, so
 * that, as with fio's random map, each pass visits each block once. A permutation costs no memory:
 * it is a bijection on the next power of two, walked until it falls inside the area.
 */
final class BlockOrder {
  private static final int ROUNDS = 3;

  private final long blocks;
  private final boolean random;
  private final long mask;
  private final int shift;
  private final long[] factors = new long[ROUNDS];
  private final long[] terms = new long[ROUNDS];
  private long state;
  private long position;

  /**
   * At the start of the first pass.
   *
   * @param blocks blocks of the area, at least 1
   * @param random permuted rather than ascending
   * @param seed seed of the permutations
   */
  BlockOrder(final long blocks, final boolean random, final long seed) {
    this.blocks = blocks;
    this.random = random;
    final int bits = Math.max(1, Long.SIZE - Long.numberOfLeadingZeros(blocks - 1));
    this.mask = -1L >>> (Long.SIZE - bits);
    this.shift = (bits + 1) / 2;
    this.state = seed;
    newPass();
  }

  /** Whether the pass is over. */
  boolean passEnded() {
    return position == blocks;
  }

  /** Starts over, in another order when random. */
  void newPass() {
    position = 0;
    for (int i = 0; i < ROUNDS; i++) {
      state += Mix.STEP;
      factors[i] = Mix.mix(state) | 1; // odd, so that it has an inverse modulo a power of two
      state += Mix.STEP;
      terms[i] = Mix.mix(state);
    }
  }

  /** The next block of the pass, which has not ended. */
  long next() {
    final long index = position++;
    return random ? permute(index) : index;
  }

  private long permute(final long index) {
    long x = index;
    do {
      for (int i = 0; i < ROUNDS; i++) {
        x = (x * factors[i] + terms[i]) & mask;
        x ^= x >>> shift; // keeps the upper bits, so it can be undone
      }
    } while (x >= blocks); // the cycle through index leads back into the area: index is in it
    return x;
  }
}
