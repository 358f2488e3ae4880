package io.carom.virtio;

/**
 * The network device (virtio 1.4, section Network Device), little-endian.
 *
 * <pre>
 *  packet: flags (8) │ gso_type (8) │ hdr_len (16) │ gso_size (16) │ csum_start (16)
 *          │ csum_offset (16) │ num_buffers (16) │ frame ...
 *
 *  control request: class (8) │ command (8) │ data ... │ ack (8)
 *                   readable ─────────────────────────┘ writable
 *
 *  queues: 0 receiveq1, 1 transmitq1, 2 receiveq2, ... 2N controlq; N is 1 without MQ
 * </pre>
 */
public final class NetDescriptor {
  /** u8 flags. */
  public static final int HEADER_FLAGS = 0;

  /** u8 kind of segmentation. */
  public static final int HEADER_GSO_TYPE = 1;

  /** u16 length of the headers of a segmented packet. */
  public static final int HEADER_HDR_LEN = 2;

  /** u16 size of a segment. */
  public static final int HEADER_GSO_SIZE = 4;

  /** u16 where the checksum begins, from the frame's start. */
  public static final int HEADER_CSUM_START = 6;

  /** u16 where the checksum is stored, from {@code csum_start}. */
  public static final int HEADER_CSUM_OFFSET = 8;

  /** u16 number of buffers that a received packet takes. */
  public static final int HEADER_NUM_BUFFERS = 10;

  /** Bytes of the header, with VERSION_1. */
  public static final int HEADER_SIZE = 12;

  /** Flag: the checksum field holds the pseudo header's sum, and is to be completed. */
  public static final int F_NEEDS_CSUM = 1;

  /** Flag: the device has checked the checksum. */
  public static final int F_DATA_VALID = 2;

  /** No segmentation. */
  public static final int GSO_NONE = 0;

  /** u8[6] address. */
  public static final int CONFIG_MAC = 0;

  /** u16 status bits. */
  public static final int CONFIG_STATUS = 6;

  /** u16 most queue pairs. */
  public static final int CONFIG_MAX_PAIRS = 8;

  /** u16 largest packet, without the Ethernet header. */
  public static final int CONFIG_MTU = 10;

  /** Bytes of the configuration structure, as far as it is used. */
  public static final int CONFIG_SIZE = 12;

  /** Status bit: the link is up. */
  public static final int S_LINK_UP = 1;

  /** Bytes of an address. */
  public static final int MAC_BYTES = 6;

  /** Least value of {@code mtu} that a device may offer: what IPv4 demands of a host. */
  public static final int MIN_MTU = 68;

  /** Largest value of {@code mtu}. */
  public static final int MAX_MTU = 65535;

  /** Bytes of an Ethernet header. */
  public static final int ETHERNET_HEADER = 14;

  /** Bytes of a VLAN tag, which a frame may carry above its MTU. */
  public static final int VLAN_TAG = 4;

  /** Control class: number of queue pairs. */
  public static final int CTRL_MQ = 4;

  /** Command of {@link #CTRL_MQ}: use as many pairs; u16. */
  public static final int CTRL_MQ_PAIRS_SET = 0;

  /** Bytes of a control request before its data. */
  public static final int CTRL_HEADER = 2;

  /** Acknowledgement: done. */
  public static final int CTRL_OK = 0;

  /** Acknowledgement: refused. */
  public static final int CTRL_ERR = 1;

  private NetDescriptor() {}

  /** Number of the receive queue of a pair, from pair 0 on. */
  public static int receiveQueue(final int pair) {
    return 2 * pair;
  }

  /** Number of the transmit queue of a pair. */
  public static int transmitQueue(final int pair) {
    return 2 * pair + 1;
  }

  /**
   * Number of the control queue.
   *
   * @param pairs most pairs with MQ accepted, else 1
   */
  public static int controlQueue(final int pairs) {
    return 2 * pairs;
  }

  /** Most bytes of a frame without its checksum, for a device with this MTU. */
  public static int mostFrameBytes(final int mtu) {
    return mtu + ETHERNET_HEADER + VLAN_TAG;
  }
}
