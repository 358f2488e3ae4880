package io.carom.virtio;

/**
 * The three areas of a packed virtqueue of {@code n} entries (virtio 1.4, section Packed
 * Virtqueues), little-endian.
 *
 * <pre>
 *  descriptor ring, align 16:  n x { addr (64) │ len (32) │ id (16) │ flags (16) }
 *  driver and device event suppression, align 4:
 *                              off (15) wrap (1) │ flags (2) reserved (14)
 * </pre>
 */
public final class PackedRingDescriptor {
  /** Largest queue size; any size from 1 on is legal. */
  public static final int MAX_SIZE = 32768;

  /** Bytes of a descriptor. */
  public static final int DESC_SIZE = 16;

  /** u64 address within a descriptor. */
  public static final int DESC_ADDR = 0;

  /** u32 length within a descriptor. */
  public static final int DESC_LEN = 8;

  /** u16 buffer id within a descriptor. */
  public static final int DESC_ID = 12;

  /** u16 flags within a descriptor. */
  public static final int DESC_FLAGS = 14;

  /** Descriptor flag: the list goes on with the next descriptor. */
  public static final int DESC_F_NEXT = 1;

  /** Descriptor flag: the device writes the buffer; in a used one: something was written. */
  public static final int DESC_F_WRITE = 2;

  /** Descriptor flag: the buffer is a table of descriptors. */
  public static final int DESC_F_INDIRECT = 4;

  /** Descriptor flag, against the driver's wrap counter: available. */
  public static final int DESC_F_AVAIL = 1 << 7;

  /** Descriptor flag, against the device's wrap counter: used. */
  public static final int DESC_F_USED = 1 << 15;

  /** u16 of an event suppression structure: place in the ring, and wrap counter in bit 15. */
  public static final int EVENT_DESC = 0;

  /** u16 of an event suppression structure: what is wanted. */
  public static final int EVENT_FLAGS = 2;

  /** Event flags: notify always. */
  public static final int EVENT_ENABLE = 0;

  /** Event flags: never notify. */
  public static final int EVENT_DISABLE = 1;

  /** Event flags: notify at the descriptor that {@link #EVENT_DESC} names; with EVENT_IDX. */
  public static final int EVENT_AT = 2;

  /** Bytes of an event suppression structure. */
  public static final int EVENT_SIZE = 4;

  /** Alignment of the descriptor ring. */
  public static final int RING_ALIGN = 16;

  /** Alignment of the event suppression structures. */
  public static final int EVENT_ALIGN = 4;

  private PackedRingDescriptor() {}

  /** Bytes of the descriptor ring. */
  public static long ringBytes(final int size) {
    return (long) size * DESC_SIZE;
  }

  /** Where a descriptor is in the ring, or in an indirect table. */
  public static long desc(final int index) {
    return (long) index * DESC_SIZE;
  }
}
