package io.carom.virtio;

import java.util.ArrayList;
import java.util.List;

/**
 * Feature bits (virtio 1.4, sections Feature Bits, Reserved Feature Bits, and Feature bits of Block
 * Device, Network Device, Console Device and IOMMU device), as masks of a 64-bit word.
 */
public final class VirtioFeatures {
  /** Largest size of a segment is in {@code size_max}. */
  public static final long BLK_SIZE_MAX = 1L << 1;

  /** Largest number of segments is in {@code seg_max}. */
  public static final long BLK_SEG_MAX = 1L << 2;

  /** The disk is read-only. */
  public static final long BLK_RO = 1L << 5;

  /** Block size is in {@code blk_size}. */
  public static final long BLK_BLK_SIZE = 1L << 6;

  /** FLUSH is understood. */
  public static final long BLK_FLUSH = 1L << 9;

  /** Several queues, their number in {@code num_queues}. */
  public static final long BLK_MQ = 1L << 12;

  /** Cylinders, heads and sectors are in {@code geometry}. */
  public static final long BLK_GEOMETRY = 1L << 4;

  /** Exponents and sizes of good I/O are in {@code topology}. */
  public static final long BLK_TOPOLOGY = 1L << 10;

  /** The write cache can be switched with {@code writeback}. */
  public static final long BLK_CONFIG_WCE = 1L << 11;

  /** DISCARD is understood. */
  public static final long BLK_DISCARD = 1L << 13;

  /** WRITE_ZEROES is understood. */
  public static final long BLK_WRITE_ZEROES = 1L << 14;

  /** The device handles packets with partial checksum. */
  public static final long NET_CSUM = 1L << 0;

  /** The driver handles packets with partial checksum. */
  public static final long NET_GUEST_CSUM = 1L << 1;

  /** The largest packet is in {@code mtu}. */
  public static final long NET_MTU = 1L << 3;

  /** The address is in {@code mac}. */
  public static final long NET_MAC = 1L << 5;

  /** A packet may be spread over several receive buffers. */
  public static final long NET_MRG_RXBUF = 1L << 15;

  /** Whether the link is up is in {@code status}. */
  public static final long NET_STATUS = 1L << 16;

  /** There is a control queue. */
  public static final long NET_CTRL_VQ = 1L << 17;

  /** Several queue pairs, most in {@code max_virtqueue_pairs}. */
  public static final long NET_MQ = 1L << 22;

  /** Columns and rows are in the configuration. */
  public static final long CONSOLE_SIZE = 1L << 0;

  /** Several ports, and control queues. */
  public static final long CONSOLE_MULTIPORT = 1L << 1;

  /** {@code emerg_wr} takes bytes at any time. */
  public static final long CONSOLE_EMERG_WRITE = 1L << 2;

  /** Bit number of VIRTIO_F_SWIOTLB in the proposal of March 2025; legacy ANY_LAYOUT. */
  public static final int SWIOTLB_BIT = 27;

  /** The device provides a region that all addresses must lie in. */
  public static final long SWIOTLB = 1L << SWIOTLB_BIT;

  /** Indirect descriptors. */
  public static final long INDIRECT_DESC = 1L << 28;

  /** used_event and avail_event. */
  public static final long EVENT_IDX = 1L << 29;

  /** Compliance with virtio 1. */
  public static final long VERSION_1 = 1L << 32;

  /** Addresses are bus addresses, subject to the platform's IOMMU and offsets. */
  public static final long ACCESS_PLATFORM = 1L << 33;

  /** The packed ring layout. */
  public static final long RING_PACKED = 1L << 34;

  /** Buffers are used in the order in which they were made available. */
  public static final long IN_ORDER = 1L << 35;

  /** Memory accesses are ordered as the platform says; the driver uses its barriers. */
  public static final long ORDER_PLATFORM = 1L << 36;

  /** Doorbells carry where the ring is. */
  public static final long NOTIFICATION_DATA = 1L << 38;

  /** Doorbells carry {@code queue_notif_config_data}. */
  public static final long NOTIF_CONFIG_DATA = 1L << 39;

  /** One queue can be reset. */
  public static final long RING_RESET = 1L << 40;

  /** There are administration queues. */
  public static final long ADMIN_VQ = 1L << 41;

  /** The device can be suspended. */
  public static final long SUSPEND = 1L << 43;

  private static final String[] TRANSPORT_NAMES = {
    "NOTIFY_ON_EMPTY",
    "",
    "",
    "SWIOTLB",
    "INDIRECT_DESC",
    "EVENT_IDX",
    "UNUSED",
    "",
    "VERSION_1",
    "ACCESS_PLATFORM",
    "RING_PACKED",
    "IN_ORDER",
    "ORDER_PLATFORM",
    "SR_IOV",
    "NOTIFICATION_DATA",
    "NOTIF_CONFIG_DATA",
    "RING_RESET",
    "ADMIN_VQ",
    "",
    "SUSPEND"
  };
  private static final int FIRST_TRANSPORT_BIT = 24;
  private static final String[] BLOCK_NAMES = {
    "BARRIER",
    "SIZE_MAX",
    "SEG_MAX",
    "",
    "GEOMETRY",
    "RO",
    "BLK_SIZE",
    "SCSI",
    "",
    "FLUSH",
    "TOPOLOGY",
    "CONFIG_WCE",
    "MQ",
    "DISCARD",
    "WRITE_ZEROES",
    "LIFETIME",
    "SECURE_ERASE",
    "ZONED"
  };
  private static final String[] NET_NAMES = {
    "CSUM",
    "GUEST_CSUM",
    "CTRL_GUEST_OFFLOADS",
    "MTU",
    "",
    "MAC",
    "",
    "GUEST_TSO4",
    "GUEST_TSO6",
    "GUEST_ECN",
    "GUEST_UFO",
    "HOST_TSO4",
    "HOST_TSO6",
    "HOST_ECN",
    "HOST_UFO",
    "MRG_RXBUF",
    "STATUS",
    "CTRL_VQ",
    "CTRL_RX",
    "CTRL_VLAN",
    "",
    "GUEST_ANNOUNCE",
    "MQ",
    "CTRL_MAC_ADDR"
  };
  private static final String[] CONSOLE_NAMES = {"SIZE", "MULTIPORT", "EMERG_WRITE"};
  private static final String[] NO_NAMES = {};
  private static final String[] IOMMU_NAMES = {
    "INPUT_RANGE", "DOMAIN_RANGE", "MAP_UNMAP", "BYPASS", "PROBE", "MMIO", "BYPASS_CONFIG"
  };

  private VirtioFeatures() {}

  /**
   * Names of the bits that are set, ascending, as the specification spells them without prefix; an
   * unnamed bit as {@code bit N}.
   *
   * @param type device type, for the meaning of bits 0..23
   */
  public static List<String> names(final int type, final long bits) {
    final List<String> names = new ArrayList<>();
    for (int bit = 0; bit < Long.SIZE; bit++) {
      if ((bits >>> bit & 1) != 0) {
        names.add(name(type, bit));
      }
    }
    return names;
  }

  /** The name of one bit. */
  public static String name(final int type, final int bit) {
    final String name;
    if (bit >= FIRST_TRANSPORT_BIT && bit < FIRST_TRANSPORT_BIT + TRANSPORT_NAMES.length) {
      name = TRANSPORT_NAMES[bit - FIRST_TRANSPORT_BIT];
    } else {
      final String[] own = ownNames(type);
      name = bit < own.length ? own[bit] : "";
    }
    return name.isEmpty() ? "bit " + bit : name;
  }

  private static String[] ownNames(final int type) {
    return switch (type) {
      case VirtioIds.TYPE_NET -> NET_NAMES;
      case VirtioIds.TYPE_BLOCK -> BLOCK_NAMES;
      case VirtioIds.TYPE_CONSOLE -> CONSOLE_NAMES;
      case VirtioIds.TYPE_IOMMU -> IOMMU_NAMES;
      default -> NO_NAMES;
    };
  }
}
