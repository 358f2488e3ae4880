package io.carom.dma;

/** Attributes of a mapping: bits with the kernel's values ({@code DMA_ATTR_*}). */
public final class DmaAttributes {
  /** No attribute. */
  public static final int NONE = 0;

  /** Unmap does not copy back: the caller has synced. A map always copies in. */
  public static final int SKIP_CPU_SYNC = 1 << 5;

  /** A failed map is not written to the log. It is counted all the same. */
  public static final int NO_WARN = 1 << 8;

  /** The device accesses with supervisor rights: kept apart from what is mapped without. */
  public static final int PRIVILEGED = 1 << 9;

  /** The address is a device's memory, not RAM: never bounced. */
  public static final int MMIO = 1 << 10;

  /**
   * The caller may sleep: memory may be allocated for the map, and it may wait while the pool is
   * throttled. Carom's own bit, as proposed for Linux.
   */
  public static final int MAY_SLEEP = 1 << 16;

  /**
   * A mapping that lives long and whose user keeps caches coherent without syncs: reached where it
   * is rather than bounced, wherever that is allowed. As proposed with the IOMMU bounce pools; not
   * in Linux, so the bit is Carom's own.
   */
  public static final int PERSISTENT_STREAMING = 1 << 17;

  private static final int QUEUE_SHIFT = 20;
  private static final int QUEUE_MASK = 0x7ff;

  /**
   * Names the queue of the device that a mapping is for, as a hint to strategies that keep queues
   * apart. To be added to other attributes; no queue is named without it.
   *
   * @param queue from 0 on; counted modulo 2047
   */
  public static int queue(final int queue) {
    return (queue % QUEUE_MASK + 1) << QUEUE_SHIFT;
  }

  /** The queue that attributes name, or -1 for none. */
  public static int queueOf(final int attributes) {
    return (attributes >>> QUEUE_SHIFT & QUEUE_MASK) - 1;
  }

  private DmaAttributes() {}
}
