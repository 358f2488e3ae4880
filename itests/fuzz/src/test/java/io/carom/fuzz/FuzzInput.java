package io.carom.fuzz;

/** The bytes of an input, one after the other; zeros behind its end. */
final class FuzzInput {
  private final byte[] bytes;
  private int at;

  FuzzInput(final byte[] bytes) {
    this.bytes = bytes;
  }

  boolean more() {
    return at < bytes.length;
  }

  int u8() {
    return at < bytes.length ? bytes[at++] & 0xff : 0;
  }

  int u16() {
    return u8() | u8() << 8;
  }

  int s32() {
    return u16() | u16() << 16;
  }

  long u64() {
    return (s32() & 0xffff_ffffL) | (long) s32() << 32;
  }

  /** A number below a bound of at most 65536. */
  int below(final int bound) {
    return bound <= 256 ? u8() % bound : u16() % bound;
  }

  /** One of these, or once in a while anything. */
  long oneOf(final long... values) {
    final int choice = u8();
    return choice >= 0xf0 ? u64() : values[choice % values.length];
  }

  byte[] bytes(final int length) {
    final byte[] result = new byte[length];
    for (int i = 0; i < length; i++) {
      result[i] = (byte) u8();
    }
    return result;
  }
}
