package io.carom.pcibus.config;

import io.carom.pci.ConfigSpaceDescriptor;
import java.util.Arrays;

/**
 * The configuration bytes of a function, each bit of which is read-only, read-write, or cleared by
 * writing 1. What is not defined reads 0 and drops writes, as PCI 3.0 section 6.1 wants of reserved
 * registers. Not thread-safe: the function's lock guards it.
 */
public final class ConfigSpace {
  private final byte[] bytes = new byte[ConfigSpaceDescriptor.ECAM_SIZE];
  private final byte[] writable = new byte[ConfigSpaceDescriptor.ECAM_SIZE];
  private final byte[] clearing = new byte[ConfigSpaceDescriptor.ECAM_SIZE];

  /** Defines a register: its value, its read-write bits, and its bits cleared by writing 1. */
  void define(final int offset, final int width, final long value, final long rw, final long w1c) {
    put(bytes, offset, width, value);
    put(writable, offset, width, rw);
    put(clearing, offset, width, w1c);
  }

  /** A guest's load of 1, 2 or 4 bytes, aligned. */
  public long read(final int offset, final int width) {
    long value = 0;
    for (int i = width - 1; i >= 0; i--) {
      value = value << 8 | (bytes[offset + i] & 0xff);
    }
    return value;
  }

  /** A guest's store of 1, 2 or 4 bytes, aligned. */
  public void write(final int offset, final int width, final long value) {
    for (int i = 0; i < width; i++) {
      final int at = offset + i;
      final byte written = (byte) (value >>> (8 * i));
      final int stored = (bytes[at] & ~writable[at]) | (written & writable[at]);
      bytes[at] = (byte) (stored & ~(written & clearing[at]));
    }
  }

  /** The device's own store, which no mask holds back. */
  public void set(final int offset, final int width, final long value) {
    put(bytes, offset, width, value);
  }

  /** All bytes that a conventional function has; behind them nothing is defined. */
  byte[] bytes() {
    return Arrays.copyOf(bytes, ConfigSpaceDescriptor.SIZE);
  }

  /** Puts back what {@link #bytes} gave of a space that is defined alike. */
  void restore(final byte[] kept) {
    System.arraycopy(kept, 0, bytes, 0, Math.min(kept.length, ConfigSpaceDescriptor.SIZE));
  }

  /** Copies bytes out. */
  void copyTo(final int offset, final byte[] target) {
    System.arraycopy(bytes, offset, target, 0, target.length);
  }

  /** Copies bytes in, but for the first two, a capability's id and next pointer. */
  void copyBodyFrom(final int offset, final byte[] source) {
    System.arraycopy(source, 2, bytes, offset + 2, source.length - 2);
  }

  private static void put(
      final byte[] target, final int offset, final int width, final long value) {
    for (int i = 0; i < width; i++) {
      target[offset + i] = (byte) (value >>> (8 * i));
    }
  }
}
