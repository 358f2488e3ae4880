package io.carom.guest.shim.net;

import io.carom.virtio.NetDescriptor;
import java.util.Arrays;

/**
 * A packet as it is exchanged with the device: its header, then the frame. Fields of the frame are
 * big-endian, and at offsets of the frame. One object is used again for many packets. Not
 * thread-safe.
 */
final class Packet {
  /** Where the frame begins in {@link #bytes}. */
  static final int FRAME = NetDescriptor.HEADER_SIZE;

  final byte[] bytes;

  /** Bytes of the frame. */
  int length;

  /** Whether the checksum of what IPv4 carries needs no look. */
  boolean checked;

  /** For frames of at most so many bytes. */
  Packet(final int mostFrameBytes) {
    bytes = new byte[FRAME + mostFrameBytes];
  }

  /** Most bytes of a frame. */
  int room() {
    return bytes.length - FRAME;
  }

  /** Starts a frame with a header of zeros. */
  void start(final int frameBytes) {
    Arrays.fill(bytes, 0, FRAME, (byte) 0);
    length = frameBytes;
    checked = false;
  }

  /** Leaves the checksum to the device: the field holds the pseudo header's sum. */
  void leaveChecksum(final int start, final int offset) {
    bytes[NetDescriptor.HEADER_FLAGS] = NetDescriptor.F_NEEDS_CSUM;
    headerHalf(NetDescriptor.HEADER_CSUM_START, start);
    headerHalf(NetDescriptor.HEADER_CSUM_OFFSET, offset);
  }

  private void headerHalf(final int at, final int value) {
    bytes[at] = (byte) value;
    bytes[at + 1] = (byte) (value >>> 8);
  }

  /** A u16 of the device's header. */
  int headerHalf(final int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8;
  }

  int u8(final int at) {
    return bytes[FRAME + at] & 0xff;
  }

  int u16(final int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  int u32(final int at) {
    return u16(at) << 16 | u16(at + 2);
  }

  long u48(final int at) {
    return (long) u16(at) << 32 | (u32(at + 2) & 0xffff_ffffL);
  }

  long u64(final int at) {
    return (long) u32(at) << 32 | (u32(at + 4) & 0xffff_ffffL);
  }

  void u8(final int at, final int value) {
    bytes[FRAME + at] = (byte) value;
  }

  void u16(final int at, final int value) {
    u8(at, value >>> 8);
    u8(at + 1, value);
  }

  void u32(final int at, final int value) {
    u16(at, value >>> 16);
    u16(at + 2, value);
  }

  void u48(final int at, final long value) {
    u16(at, (int) (value >>> 32));
    u32(at + 2, (int) value);
  }

  void u64(final int at, final long value) {
    u32(at, (int) (value >>> 32));
    u32(at + 4, (int) value);
  }

  /**
   * The Internet checksum's sum of a run of the frame, not complemented (RFC 1071).
   *
   * @param initial a sum to add to
   */
  int sum(final int from, final int bytesOf, final int initial) {
    long sum = initial & 0xffff_ffffL; // of at most 2^15 words: no overflow
    int at = from;
    for (; at + 1 < from + bytesOf; at += Short.BYTES) {
      sum += u16(at);
    }
    if (at < from + bytesOf) {
      sum += u8(at) << 8;
    }
    return fold(sum);
  }

  static int fold(final long sum) {
    long folded = (sum & 0xffff) + (sum >>> 16);
    folded = (folded & 0xffff) + (folded >>> 16);
    return (int) ((folded & 0xffff) + (folded >>> 16));
  }
}
