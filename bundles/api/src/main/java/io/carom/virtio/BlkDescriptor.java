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

  /** Request: how worn the device is. */
  public static final int T_GET_LIFETIME = 10;

  /** Request: sectors are not needed any more. */
  public static final int T_DISCARD = 11;

  /** Request: sectors become zero. */
  public static final int T_WRITE_ZEROES = 13;

  /** Request: sectors are erased for good. */
  public static final int T_SECURE_ERASE = 14;

  /** u64 first sector within a segment of DISCARD and WRITE_ZEROES. */
  public static final int RANGE_SECTOR = 0;

  /** u32 number of sectors within a segment. */
  public static final int RANGE_SECTORS = 8;

  /** u32 flags within a segment. */
  public static final int RANGE_FLAGS = 12;

  /** Flag of a segment of WRITE_ZEROES: the sectors may be given back. */
  public static final int RANGE_F_UNMAP = 1;

  /** Bytes of a segment of DISCARD and WRITE_ZEROES. */
  public static final int RANGE_SIZE = 16;

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

  /** u16 cylinders. */
  public static final int CONFIG_CYLINDERS = 16;

  /** u8 heads. */
  public static final int CONFIG_HEADS = 18;

  /** u8 sectors of a track. */
  public static final int CONFIG_TRACK_SECTORS = 19;

  /** u32 block size. */
  public static final int CONFIG_BLK_SIZE = 20;

  /** u8 blocks of a physical block, as a power of two. */
  public static final int CONFIG_PHYSICAL_BLOCK_EXP = 24;

  /** u8 offset of the first aligned block. */
  public static final int CONFIG_ALIGNMENT_OFFSET = 25;

  /** u16 least blocks of good I/O. */
  public static final int CONFIG_MIN_IO_SIZE = 26;

  /** u32 best blocks of I/O. */
  public static final int CONFIG_OPT_IO_SIZE = 28;

  /** u8, written by a driver with CONFIG_WCE: 0 writes through, 1 keeps a write cache. */
  public static final int CONFIG_WRITEBACK = 32;

  /** u16 number of queues. */
  public static final int CONFIG_NUM_QUEUES = 34;

  /** u32 most sectors of a segment of DISCARD. */
  public static final int CONFIG_MAX_DISCARD_SECTORS = 36;

  /** u32 most segments of a DISCARD. */
  public static final int CONFIG_MAX_DISCARD_SEG = 40;

  /** u32 sectors to which a DISCARD is best aligned. */
  public static final int CONFIG_DISCARD_ALIGNMENT = 44;

  /** u32 most sectors of a segment of WRITE_ZEROES. */
  public static final int CONFIG_MAX_ZEROES_SECTORS = 48;

  /** u32 most segments of a WRITE_ZEROES. */
  public static final int CONFIG_MAX_ZEROES_SEG = 52;

  /** u8 whether WRITE_ZEROES may give sectors back. */
  public static final int CONFIG_ZEROES_MAY_UNMAP = 56;

  /** Bytes of the configuration structure. */
  public static final int CONFIG_SIZE = 96;

  private BlkDescriptor() {}
}
