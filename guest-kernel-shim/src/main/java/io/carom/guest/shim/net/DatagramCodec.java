package io.carom.guest.shim.net;

import org.jspecify.annotations.Nullable;

/**
 * The data of a throughput workload's datagrams: who they are, and bytes that are theirs alone, so
 * that any byte of another packet, or of another time, is found.
 *
 * <pre>
 *  run (64) │ flow (32) │ zero (32) │ sequence (64) │ pattern (64) ...
 * </pre>
 */
final class DatagramCodec {
  private static final int FLOW = 8;
  private static final int ZERO = 12;
  private static final int SEQUENCE = 16;
  private static final int PATTERN = 24;
  private static final long STEP = 0x9e3779b97f4a7c15L;

  private final long run;
  private final int flow;
  private final int bytes;

  /**
   * A codec of one flow.
   *
   * @param run what is this run's alone
   * @param bytes of each datagram, at least 32
   */
  DatagramCodec(final long run, final int flow, final int bytes) {
    this.run = run;
    this.flow = flow;
    this.bytes = bytes;
  }

  void write(final Packet packet, final int at, final long sequence) {
    packet.u64(at, run);
    packet.u32(at + FLOW, flow);
    packet.u32(at + ZERO, 0);
    packet.u64(at + SEQUENCE, sequence);
    final long seed = seed(sequence);
    int i = PATTERN;
    for (; i + Long.BYTES <= bytes; i += Long.BYTES) {
      packet.u64(at + i, word(seed, i));
    }
    for (; i < bytes; i++) {
      packet.u8(at + i, (int) word(seed, i));
    }
  }

  /** The sequence number that a datagram claims. */
  static long sequence(final Packet packet, final int at) {
    return packet.u64(at + SEQUENCE);
  }

  /** What is wrong with a datagram, or null. */
  @Nullable String check(final Packet packet, final int at, final int length) {
    if (length != bytes) {
      return "a datagram of " + length + " bytes, not " + bytes;
    }
    if (packet.u64(at) != run || packet.u32(at + FLOW) != flow || packet.u32(at + ZERO) != 0) {
      return "a datagram of another flow";
    }
    final long sequence = sequence(packet, at);
    final long seed = seed(sequence);
    int i = PATTERN;
    for (; i + Long.BYTES <= bytes; i += Long.BYTES) {
      if (packet.u64(at + i) != word(seed, i)) {
        return wrong(sequence, i);
      }
    }
    for (; i < bytes; i++) {
      if (packet.u8(at + i) != ((int) word(seed, i) & 0xff)) {
        return wrong(sequence, i);
      }
    }
    return null;
  }

  private static String wrong(final long sequence, final int i) {
    return "datagram " + sequence + " differs from byte " + i + " on";
  }

  private long seed(final long sequence) {
    return (run ^ flow * STEP) + sequence * 0xbf58476d1ce4e5b9L;
  }

  private static long word(final long seed, final int i) {
    final long mixed = (seed + i * STEP) * 0x94d049bb133111ebL;
    return mixed ^ mixed >>> 31;
  }
}
