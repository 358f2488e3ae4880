package io.carom.virtio.device.net;

import java.util.Arrays;

/**
 * An Ethernet frame, and where its checksum is still to be completed. One object is used again for
 * many frames; its array grows to the longest one.
 */
final class Frame {
  /** {@link #csumStart} of a frame whose checksum is complete. */
  static final int NO_CSUM = -1;

  private static final int FIRST_BYTES = 2048;
  private static final int MOST_ONES = 0xffff;

  byte[] bytes = new byte[0];
  int length;

  /** Where the checksum begins, or {@link #NO_CSUM}; within the frame, as is its field. */
  int csumStart = NO_CSUM;

  /** Where it is stored, from its start. */
  int csumOffset;

  /** Makes room for a frame of some length. What the array held is lost. */
  void prepare(final int newLength) {
    if (bytes.length < newLength) {
      // at most the largest frame, about 2^16 bytes, rounded up to a power of two
      bytes = new byte[Math.max(FIRST_BYTES, Integer.highestOneBit(newLength - 1) << 1)];
    }
    length = newLength;
    csumStart = NO_CSUM;
  }

  /** Becomes a copy of another one. */
  void copy(final Frame other) {
    prepare(other.length);
    System.arraycopy(other.bytes, 0, bytes, 0, length);
    csumStart = other.csumStart;
    csumOffset = other.csumOffset;
  }

  /**
   * Says that the checksum is to be completed.
   *
   * @return false when its start or its field is not in the frame; nothing was changed then
   */
  boolean partial(final int start, final int offset) {
    // u16 values: no overflow
    if (start + offset + Short.BYTES > length) {
      return false;
    }
    csumStart = start;
    csumOffset = offset;
    return true;
  }

  /**
   * Completes the checksum, if it is to be: the ones' complement of the sum from {@code csum_start}
   * to the frame's end, in which the field holds the pseudo header's sum. A result of 0 is sent as
   * all ones, which means the same and is never taken for "none" (RFC 768).
   */
  void complete() {
    if (csumStart == NO_CSUM) {
      return;
    }
    long sum = 0; // of at most 2^15 words: no overflow
    int at = csumStart;
    for (; at + 1 < length; at += Short.BYTES) {
      sum += (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }
    if (at < length) {
      sum += (bytes[at] & 0xff) << 8;
    }
    sum = (sum & MOST_ONES) + (sum >>> 16);
    sum = (sum & MOST_ONES) + (sum >>> 16);
    final int folded = (int) (~sum & MOST_ONES);
    final int value = folded == 0 ? MOST_ONES : folded;
    bytes[csumStart + csumOffset] = (byte) (value >>> 8);
    bytes[csumStart + csumOffset + 1] = (byte) value;
    csumStart = NO_CSUM;
  }

  /** Destination address, in bits 0..47. */
  long destination() {
    return address(0);
  }

  /** Source address, in bits 0..47. */
  long source() {
    return address(6);
  }

  private long address(final int at) {
    long address = 0;
    for (int i = 0; i < 6; i++) {
      address = address << 8 | (bytes[at + i] & 0xff);
    }
    return address;
  }

  /** A copy of the frame's bytes. */
  byte[] toArray() {
    return Arrays.copyOf(bytes, length);
  }
}
