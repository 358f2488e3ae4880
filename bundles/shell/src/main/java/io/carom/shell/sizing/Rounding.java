package io.carom.shell.sizing;

/** Whole units of positive numbers far below the limits of a long. */
final class Rounding {
  private Rounding() {}

  /** How many units hold a value. */
  static long quotient(final long value, final long unit) {
    return (value + unit - 1) / unit;
  }

  /** A value in whole units. */
  static long up(final long value, final long unit) {
    return quotient(value, unit) * unit;
  }

  /** The smallest power of two that is not below a value. */
  static long powerOfTwo(final long value) {
    return Long.bitCount(value) == 1 ? value : Long.highestOneBit(value) << 1;
  }
}
