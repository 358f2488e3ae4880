package io.carom.virtio.device.net;

import org.jspecify.annotations.Nullable;

/**
 * Which port a station is behind: a table of a fixed number of places, eight for each hash, so that
 * no sender of invented addresses can make it grow. An address that finds its places taken drives
 * the one out that was learned first. Not thread-safe: the switch's.
 */
final class MacTable {
  private static final int SETS = 256;
  private static final int WAYS = 8;

  private final long[] macs = new long[SETS * WAYS];
  private final @Nullable SwitchPort[] ports = new @Nullable SwitchPort[SETS * WAYS];
  private final byte[] victims = new byte[SETS];

  /** The port of a station, or null when it is not known. */
  @Nullable SwitchPort find(final long mac) {
    final int place = place(mac);
    return place < 0 ? null : ports[place];
  }

  /** A frame from a station came in at a port. */
  void learn(final long mac, final SwitchPort port) {
    int place = place(mac);
    if (place < 0) {
      place = free(mac);
      macs[place] = mac;
    }
    ports[place] = port;
  }

  /** Forgets the stations behind a port. */
  void forget(final SwitchPort port) {
    for (int i = 0; i < ports.length; i++) {
      if (ports[i] == port) {
        ports[i] = null;
      }
    }
  }

  /** Number of stations that are known. */
  int size() {
    int size = 0;
    for (final SwitchPort port : ports) {
      size += port == null ? 0 : 1;
    }
    return size;
  }

  private int place(final long mac) {
    final int first = set(mac) * WAYS;
    for (int i = first; i < first + WAYS; i++) {
      if (macs[i] == mac && ports[i] != null) {
        return i;
      }
    }
    return -1;
  }

  private int free(final long mac) {
    final int set = set(mac);
    for (int i = set * WAYS; i < (set + 1) * WAYS; i++) {
      if (ports[i] == null) {
        return i;
      }
    }
    final int victim = victims[set];
    victims[set] = (byte) ((victim + 1) % WAYS);
    return set * WAYS + victim;
  }

  private static int set(final long mac) {
    final long mixed = mac * 0x9e3779b97f4a7c15L;
    return (int) (mixed >>> 56); // SETS is 2^8
  }
}
