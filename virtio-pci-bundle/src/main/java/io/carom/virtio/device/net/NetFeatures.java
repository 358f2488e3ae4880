package io.carom.virtio.device.net;

import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import org.jspecify.annotations.Nullable;

/** Which feature bits of a network device need which (virtio 1.4, section Feature bits). */
final class NetFeatures {
  private static final int CSUM = 0;
  private static final int GUEST_CSUM = 1;
  private static final int CTRL_GUEST_OFFLOADS = 2;
  private static final int GUEST_TSO4 = 7;
  private static final int GUEST_TSO6 = 8;
  private static final int GUEST_ECN = 9;
  private static final int GUEST_UFO = 10;
  private static final int HOST_TSO4 = 11;
  private static final int HOST_TSO6 = 12;
  private static final int HOST_ECN = 13;
  private static final int HOST_UFO = 14;
  private static final int CTRL_VQ = 17;
  private static final int CTRL_RX = 18;
  private static final int CTRL_VLAN = 19;
  private static final int CTRL_RX_EXTRA = 20;
  private static final int GUEST_ANNOUNCE = 21;
  private static final int MQ = 22;
  private static final int CTRL_MAC_ADDR = 23;

  /** A bit, then those of which it needs one. */
  private static final int[][] NEEDS = {
    {GUEST_TSO4, GUEST_CSUM},
    {GUEST_TSO6, GUEST_CSUM},
    {GUEST_ECN, GUEST_TSO4, GUEST_TSO6},
    {GUEST_UFO, GUEST_CSUM},
    {HOST_TSO4, CSUM},
    {HOST_TSO6, CSUM},
    {HOST_ECN, HOST_TSO4, HOST_TSO6},
    {HOST_UFO, CSUM},
    {CTRL_GUEST_OFFLOADS, CTRL_VQ},
    {CTRL_RX, CTRL_VQ},
    {CTRL_VLAN, CTRL_VQ},
    {CTRL_RX_EXTRA, CTRL_VQ},
    {GUEST_ANNOUNCE, CTRL_VQ},
    {MQ, CTRL_VQ},
    {CTRL_MAC_ADDR, CTRL_VQ},
  };

  private NetFeatures() {}

  /** Why a set of bits is none that a driver may accept, or null. */
  static @Nullable String refuse(final long accepted) {
    for (final int[] row : NEEDS) {
      if ((accepted >>> row[0] & 1) == 0) {
        continue;
      }
      boolean fine = false;
      final StringBuilder wanted = new StringBuilder();
      for (int i = 1; i < row.length; i++) {
        fine |= (accepted >>> row[i] & 1) != 0;
        wanted.append(i == 1 ? "" : " or ").append(name(row[i]));
      }
      if (!fine) {
        return name(row[0]) + " needs " + wanted;
      }
    }
    return null;
  }

  private static String name(final int bit) {
    return VirtioFeatures.name(VirtioIds.TYPE_NET, bit);
  }
}
