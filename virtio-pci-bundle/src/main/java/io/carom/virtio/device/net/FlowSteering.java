package io.carom.virtio.device.net;

import java.util.Arrays;

/**
 * Chooses the receive queue of a frame: that of the pair on which the guest last sent in the same
 * flow, else one by the flow's hash, so that a flow's frames stay in order (virtio 1.4, section
 * Automatic receive steering in multiqueue mode). The hash is the same in both directions. Several
 * flows may share an entry, and races only choose another queue.
 */
final class FlowSteering {
  private static final int ENTRIES = 1024;
  private static final int ETHER_TYPE = 12;
  private static final int IPV4 = 0x0800;
  private static final int IP = 14;
  private static final int IP_PROTOCOL = 9;
  private static final int IP_SOURCE = 12;
  private static final int IP_TARGET = 16;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int LEAST_IP_HEADER = 20;
  private static final int FRAGMENT = 6;
  private static final int FRAGMENT_MASK = 0x3fff;
  private static final byte UNKNOWN = -1;

  private final byte[] pairs = new byte[ENTRIES];

  FlowSteering() {
    forget();
  }

  /** Forgets all flows. */
  void forget() {
    Arrays.fill(pairs, UNKNOWN);
  }

  /** The guest sent a frame on a pair. */
  void sent(final Frame frame, final int pair) {
    pairs[hash(frame) % ENTRIES] = (byte) pair;
  }

  /**
   * The pair whose queue a frame goes to.
   *
   * @param active pairs in use, at least 1
   */
  int choose(final Frame frame, final int active) {
    if (active == 1) {
      return 0;
    }
    final int hash = hash(frame);
    final int pair = pairs[hash % ENTRIES];
    return pair >= 0 && pair < active ? pair : hash % active;
  }

  /**
   * At least 0; everything it reads is within the frame, whatever the frame's fields say. The sum
   * of a number for each end, so that it is the same in both directions.
   */
  private static int hash(final Frame frame) {
    long source = frame.source();
    long target = frame.destination();
    if (frame.length >= IP + LEAST_IP_HEADER && half(frame, ETHER_TYPE) == IPV4) {
      source ^= word(frame, IP + IP_SOURCE) << 16;
      target ^= word(frame, IP + IP_TARGET) << 16;
      final int header = 4 * (frame.bytes[IP] & 0xf);
      final int protocol = frame.bytes[IP + IP_PROTOCOL] & 0xff;
      if ((protocol == UDP || protocol == TCP)
          && (half(frame, IP + FRAGMENT) & FRAGMENT_MASK) == 0
          && frame.length >= IP + header + Integer.BYTES) {
        source += half(frame, IP + header);
        target += half(frame, IP + header + Short.BYTES);
      }
    }
    return (int) ((mix(source) + mix(target)) >>> 33);
  }

  private static long mix(final long end) {
    final long mixed = end * 0x9e3779b97f4a7c15L;
    return (mixed ^ mixed >>> 29) * 0xbf58476d1ce4e5b9L;
  }

  private static int half(final Frame frame, final int at) {
    return (frame.bytes[at] & 0xff) << 8 | (frame.bytes[at + 1] & 0xff);
  }

  private static long word(final Frame frame, final int at) {
    return (long) half(frame, at) << 16 | half(frame, at + 2);
  }
}
