package io.carom.virtio;

/**
 * The block device (virtio 1.4, section Block Device), little-endian.
 *
 * <pre>
 *  request: type (32) │ reserved (32) │ sector (64) │ data ... │ status (8)
 *           readable ─────────────────┘ IN: writable, OUT: readable; status is always the last
 *                                       writable byte
 * </pre>
 */
public final class BlkDescriptor {
  /** Bytes of a sector, the unit of {@code sector} and {@code capacity}. */
  public static final int SECTOR = 512;

  /** u32 request type. */
  public static final int REQUEST_TYPE = 0;

  /** u64 first sector. */
  public static final int REQUEST_SECTOR = 8;

  /** Bytes of the request header. */
  public static final int REQUEST_HEADER = 16;

  /** Request: read. */
  public static final int T_IN = 0;

  /** Request: write. */
  public static final int T_OUT = 1;

  /** Request: make completed writes stable. */
  public static final int T_FLUSH = 4;

  /** Request: the device's id string. */
  public static final int T_GET_ID = 8;

  /** Bytes of the id string; not terminated when it fills them. */
  public static final int ID_BYTES = 20;

  /** Status: done. */
  public static final int S_OK = 0;

  /** Status: failed. */
  public static final int S_IOERR = 1;

  /** Status: not supported. */
  public static final int S_UNSUPP = 2;

  /** u64 capacity in sectors. */
  public static final int CONFIG_CAPACITY = 0;

  /** u32 largest segment. */
  public static final int CONFIG_SIZE_MAX = 8;

  /** u32 most data segments of a request. */
  public static final int CONFIG_SEG_MAX = 12;

  /** u32 block size. */
  public static final int CONFIG_BLK_SIZE = 20;

  /** u16 number of queues. */
  public static final int CONFIG_NUM_QUEUES = 34;

  /** Bytes of the configuration structure. */
  public static final int CONFIG_SIZE = 96;

  private BlkDescriptor() {}
}
