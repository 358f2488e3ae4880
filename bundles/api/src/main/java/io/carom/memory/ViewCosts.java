package io.carom.memory;

/**
 * What accesses past the caches are like.
 *
 * @param bufferLines lines that a write-combining buffer holds; 0 when stores go out at once
 * @param readLineNs nanoseconds that the load of a line takes
 * @param writeLineNs nanoseconds that the store of a line takes
 */
public record ViewCosts(int bufferLines, int readLineNs, int writeLineNs) {
  /** Lines that CPUs combine writes in, of the order of those that have such a buffer. */
  public static final int WRITE_COMBINING_LINES = 12;
}
