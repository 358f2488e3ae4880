package io.carom.benchmarks.update;

import org.jspecify.annotations.Nullable;

/**
 * What a load of one device came to.
 *
 * @param verifiedBytes bytes that were compared
 * @param corrupt blocks, datagrams or reads with a wrong byte
 * @param lost requests without a good completion
 * @param pauseMs longest time between two completions, milliseconds
 * @param problem what went wrong, or null
 */
record LoadResult(
    long verifiedBytes, long corrupt, long lost, double pauseMs, @Nullable String problem) {
  /** Of a load that ended with an error. */
  static LoadResult failed(final RuntimeException error) {
    return new LoadResult(0, 0, 1, 0, error.getMessage());
  }
}
