package io.carom.virtio.device.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Blocks of a pcapng file, little-endian, of one Ethernet interface with times in nanoseconds.
 *
 * <pre>
 *  block: type (32) │ length (32) │ body, padded to 32 bits ... │ length (32)
 *  option: code (16) │ length (16) │ value, padded to 32 bits
 * </pre>
 */
final class Pcapng {
  private static final int SECTION = 0x0a0d0d0a;
  private static final int SECTION_MAGIC = 0x1a2b3c4d;
  private static final int INTERFACE = 1;
  private static final int STATISTICS = 5;
  private static final int ENHANCED_PACKET = 6;
  private static final short LINK_ETHERNET = 1;
  private static final short OPTION_END = 0;
  private static final short OPTION_IF_NAME = 2;
  private static final short OPTION_IF_TSRESOL = 9;
  private static final short OPTION_EPB_FLAGS = 2;
  private static final short OPTION_ISB_RECEIVED = 4;
  private static final short OPTION_ISB_DROPPED = 5;
  private static final byte NANOSECONDS = 9;
  private static final int ALIGN = 4;

  /** Bytes of an enhanced packet block besides the frame: head, flags, end of options, tail. */
  private static final int PACKET_OVERHEAD = 28 + 8 + 4 + 4;

  private Pcapng() {}

  static ByteBuffer buffer(final int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The section header, of unknown length. */
  static void section(final ByteBuffer to) {
    final int start = begin(to, SECTION);
    to.putInt(SECTION_MAGIC).putShort((short) 1).putShort((short) 0).putLong(-1);
    end(to, start);
  }

  /** The interface, number 0. */
  static void ethernet(final ByteBuffer to, final String name, final int snapBytes) {
    final int start = begin(to, INTERFACE);
    to.putShort(LINK_ETHERNET).putShort((short) 0).putInt(snapBytes);
    final byte[] text = name.getBytes(StandardCharsets.UTF_8);
    to.putShort(OPTION_IF_NAME).putShort((short) text.length).put(text);
    pad(to, text.length);
    to.putShort(OPTION_IF_TSRESOL).putShort((short) 1).put(NANOSECONDS);
    pad(to, 1);
    to.putShort(OPTION_END).putShort((short) 0);
    end(to, start);
  }

  /** Bytes of the block of a frame of which so many are kept. */
  static int frameBytes(final int kept) {
    return PACKET_OVERHEAD + (kept + ALIGN - 1) / ALIGN * ALIGN;
  }

  /** A frame. */
  static void frame(
      final ByteBuffer to,
      final long epochNanos,
      final byte[] bytes,
      final int kept,
      final int length,
      final int direction) {
    final int start = begin(to, ENHANCED_PACKET);
    to.putInt(0);
    time(to, epochNanos);
    to.putInt(kept).putInt(length).put(bytes, 0, kept);
    pad(to, kept);
    to.putShort(OPTION_EPB_FLAGS).putShort((short) Integer.BYTES).putInt(direction);
    to.putShort(OPTION_END).putShort((short) 0);
    end(to, start);
  }

  /** How many frames were seen, and how many of them are missing. */
  static void statistics(
      final ByteBuffer to, final long epochNanos, final long frames, final long dropped) {
    final int start = begin(to, STATISTICS);
    to.putInt(0);
    time(to, epochNanos);
    to.putShort(OPTION_ISB_RECEIVED).putShort((short) Long.BYTES).putLong(frames + dropped);
    to.putShort(OPTION_ISB_DROPPED).putShort((short) Long.BYTES).putLong(dropped);
    to.putShort(OPTION_END).putShort((short) 0);
    end(to, start);
  }

  private static void time(final ByteBuffer to, final long epochNanos) {
    to.putInt((int) (epochNanos >>> 32)).putInt((int) epochNanos);
  }

  private static int begin(final ByteBuffer to, final int type) {
    final int start = to.position();
    to.putInt(type).putInt(0);
    return start;
  }

  private static void end(final ByteBuffer to, final int start) {
    final int length = to.position() - start + Integer.BYTES;
    to.putInt(length).putInt(start + Integer.BYTES, length);
  }

  private static void pad(final ByteBuffer to, final int length) {
    for (int i = length; i % ALIGN != 0; i++) {
      to.put((byte) 0);
    }
  }
}
