package io.carom.virtio.device.net;

import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/** What a network device has done with its frames. Thread-safe. */
final class NetCounters {
  /** Why a frame was dropped. */
  enum Drop {
    /** Sent: less than a header of the device and one of Ethernet. */
    TX_SHORT,
    /** Sent: longer than the MTU allows. */
    TX_OVERSIZE,
    /** Sent: flags or kinds that were not negotiated, or a checksum outside of the frame. */
    TX_BAD_HEADER,
    /** Sent while the link was down. */
    TX_LINK_DOWN,
    /** Received while the link was down. */
    RX_LINK_DOWN,
    /** Received before the driver had accepted features, or when it gave up the device. */
    RX_NOT_READY,
    /** Received while too many others waited for buffers. */
    RX_NO_BUFFER,
    /** Received: longer than the MTU, or than the buffers of the driver. */
    RX_OVERSIZE;

    String key() {
      return name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
  }

  final LongAdder txFrames = new LongAdder();
  final LongAdder txBytes = new LongAdder();
  final LongAdder rxFrames = new LongAdder();
  final LongAdder rxBytes = new LongAdder();
  private final LongAdder[] drops = new LongAdder[Drop.values().length];

  NetCounters() {
    for (int i = 0; i < drops.length; i++) {
      drops[i] = new LongAdder();
    }
  }

  void drop(final Drop why) {
    drop(why, 1);
  }

  void drop(final Drop why, final int frames) {
    drops[why.ordinal()].add(frames);
  }

  long dropped(final Drop why) {
    return drops[why.ordinal()].sum();
  }

  long dropped() {
    long sum = 0;
    for (final LongAdder drop : drops) {
      sum += drop.sum();
    }
    return sum;
  }

  Map<String, Long> drops() {
    final Map<String, Long> map = new TreeMap<>();
    for (final Drop drop : Drop.values()) {
      if (dropped(drop) > 0) {
        map.put(drop.key(), dropped(drop));
      }
    }
    return map;
  }
}
