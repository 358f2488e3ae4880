package io.carom.virtio.device.transport;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import org.jspecify.annotations.Nullable;

/**
 * Which features need which others (virtio 1.4, sections Network Device / Feature bit requirements
 * and Block Device / Device Initialization). A device must not offer a feature without what it
 * needs, and a driver must not accept one without (section Feature Bits).
 */
final class FeatureDependencies {
  /** A feature, and those of which it needs at least one. */
  private record Need(long feature, long anyOf) {}

  private static final long NET_GUEST_TSO4 = 1L << 7;
  private static final long NET_GUEST_TSO6 = 1L << 8;
  private static final long NET_GUEST_ECN = 1L << 9;
  private static final long NET_GUEST_UFO = 1L << 10;
  private static final long NET_HOST_TSO4 = 1L << 11;
  private static final long NET_HOST_TSO6 = 1L << 12;
  private static final long NET_HOST_ECN = 1L << 13;
  private static final long NET_HOST_UFO = 1L << 14;
  private static final long NET_CTRL_RX = 1L << 18;
  private static final long NET_CTRL_VLAN = 1L << 19;
  private static final long NET_GUEST_ANNOUNCE = 1L << 21;
  private static final long NET_CTRL_MAC_ADDR = 1L << 23;
  private static final long NET_NOTF_COAL = 1L << 53;
  private static final long NET_RSS = 1L << 60;
  private static final long NET_RSC_EXT = 1L << 61;

  private static final Need[] NET = {
    new Need(NET_GUEST_TSO4, VirtioFeatures.NET_GUEST_CSUM),
    new Need(NET_GUEST_TSO6, VirtioFeatures.NET_GUEST_CSUM),
    new Need(NET_GUEST_ECN, NET_GUEST_TSO4 | NET_GUEST_TSO6),
    new Need(NET_GUEST_UFO, VirtioFeatures.NET_GUEST_CSUM),
    new Need(NET_HOST_TSO4, VirtioFeatures.NET_CSUM),
    new Need(NET_HOST_TSO6, VirtioFeatures.NET_CSUM),
    new Need(NET_HOST_ECN, NET_HOST_TSO4 | NET_HOST_TSO6),
    new Need(NET_HOST_UFO, VirtioFeatures.NET_CSUM),
    new Need(NET_CTRL_RX, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_CTRL_VLAN, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_GUEST_ANNOUNCE, VirtioFeatures.NET_CTRL_VQ),
    new Need(VirtioFeatures.NET_MQ, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_CTRL_MAC_ADDR, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_NOTF_COAL, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_RSS, VirtioFeatures.NET_CTRL_VQ),
    new Need(NET_RSC_EXT, NET_HOST_TSO4 | NET_HOST_TSO6)
  };

  private static final Need[] BLOCK = {
    new Need(VirtioFeatures.BLK_CONFIG_WCE, VirtioFeatures.BLK_FLUSH)
  };

  private static final Need[] NONE = {};

  private FeatureDependencies() {}

  /**
   * What is missing in a set of features.
   *
   * @param type device type, for the meaning of its own bits
   * @return a feature and what it needs, in words, or null when the set is whole
   */
  static @Nullable String missing(final int type, final long features) {
    for (final Need need : needs(type)) {
      if ((features & need.feature) != 0 && (features & need.anyOf) == 0) {
        return names(type, need.feature, "")
            + " needs "
            + names(type, need.anyOf, " or ")
            + ", which is not in the set";
      }
    }
    return null;
  }

  private static Need[] needs(final int type) {
    return switch (type) {
      case VirtioIds.TYPE_NET -> NET;
      case VirtioIds.TYPE_BLOCK -> BLOCK;
      default -> NONE;
    };
  }

  private static String names(final int type, final long bits, final String between) {
    return String.join(between, VirtioFeatures.names(type, bits));
  }
}
