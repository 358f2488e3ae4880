package io.carom.virtio;

/**
 * The three areas of a split virtqueue of {@code n} entries (virtio 1.4, section Split Virtqueues),
 * little-endian.
 *
 * <pre>
 *  descriptor area, align 16:  n x { addr (64) │ len (32) │ flags (16) │ next (16) }
 *  driver area, align 2:       flags (16) │ idx (16) │ n x ring (16) │ used_event (16)
 *  device area, align 4:       flags (16) │ idx (16) │ n x { id (32) │ len (32) }
 *                              │ avail_event (16)
 * </pre>
 */
public final class SplitRingDescriptor {
  /** Largest queue size; sizes are powers of two. */
  public static final int MAX_SIZE = 32768;

  /** Bytes of a descriptor. */
  public static final int DESC_SIZE = 16;

  /** u64 address within a descriptor. */
  public static final int DESC_ADDR = 0;

  /** u32 length within a descriptor. */
  public static final int DESC_LEN = 8;

  /** u16 flags within a descriptor. */
  public static final int DESC_FLAGS = 12;

  /** u16 next within a descriptor. */
  public static final int DESC_NEXT = 14;

  /** Descriptor flag: the chain goes on at next. */
  public static final int DESC_F_NEXT = 1;

  /** Descriptor flag: the device writes the buffer. */
  public static final int DESC_F_WRITE = 2;

  /** Descriptor flag: the buffer is a table of descriptors. */
  public static final int DESC_F_INDIRECT = 4;

  /** u16 flags of the driver and of the device area. */
  public static final int FLAGS = 0;

  /** u16 index of the driver and of the device area. */
  public static final int IDX = 2;

  /** First ring entry of the driver and of the device area. */
  public static final int RING = 4;

  /** Driver flag: no interrupt wanted. */
  public static final int AVAIL_F_NO_INTERRUPT = 1;

  /** Device flag: no notification wanted. */
  public static final int USED_F_NO_NOTIFY = 1;

  /** Bytes of a used entry. */
  public static final int USED_ELEM_SIZE = 8;

  /** Alignment of the descriptor area. */
  public static final int DESC_ALIGN = 16;

  /** Alignment of the driver area. */
  public static final int AVAIL_ALIGN = 2;

  /** Alignment of the device area. */
  public static final int USED_ALIGN = 4;

  private SplitRingDescriptor() {}

  /** Bytes of the descriptor area. */
  public static int descBytes(final int size) {
    return DESC_SIZE * size;
  }

  /** Bytes of the driver area, used_event included. */
  public static int availBytes(final int size) {
    return 6 + 2 * size;
  }

  /** Bytes of the device area, avail_event included. */
  public static int usedBytes(final int size) {
    return 6 + USED_ELEM_SIZE * size;
  }

  /** Offset of a descriptor in the descriptor area. */
  public static long desc(final int index) {
    return (long) index * DESC_SIZE;
  }

  /** Offset of a ring entry in the driver area; {@code slot} is already reduced by the size. */
  public static long availEntry(final int slot) {
    return RING + 2L * slot;
  }

  /** Offset of used_event, behind the driver area's ring. */
  public static long usedEvent(final int size) {
    return RING + 2L * size;
  }

  /** Offset of an entry in the device area. */
  public static long usedEntry(final int slot) {
    return RING + (long) USED_ELEM_SIZE * slot;
  }

  /** Offset of avail_event, behind the device area's ring. */
  public static long availEvent(final int size) {
    return RING + (long) USED_ELEM_SIZE * size;
  }

  /**
   * Whether moving an index from {@code from} to {@code to} passes the event index (virtio 1.4,
   * section Used Buffer Notification Suppression): the other side asked to be told when the entry
   * {@code event} is published. All three are modulo 2^16.
   */
  public static boolean needsEvent(final int event, final int to, final int from) {
    return (to - event - 1 & 0xffff) < (to - from & 0xffff);
  }
}
