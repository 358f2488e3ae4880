package io.carom.strategies.kit;

import java.util.Arrays;

/**
 * Bytes that are compared many at a time: an assertion for each would take longer than the test.
 */
public final class Bytes {
  private Bytes() {}

  /** So many of one value. */
  public static byte[] filled(final int size, final int value) {
    final byte[] result = new byte[size];
    Arrays.fill(result, (byte) value);
    return result;
  }

  /** Fails at the first byte that has another value. */
  public static void assertAll(final byte[] bytes, final int value) {
    final int at = Arrays.mismatch(bytes, filled(bytes.length, value));
    if (at >= 0) {
      throw new AssertionError(
          "byte "
              + at
              + " of "
              + bytes.length
              + " is 0x"
              + Integer.toHexString(bytes[at] & 0xff)
              + " and not 0x"
              + Integer.toHexString(value & 0xff));
    }
  }
}
