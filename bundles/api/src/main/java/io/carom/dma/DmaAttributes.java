package io.carom.dma;

/** Attributes of a mapping: bits with the kernel's values ({@code DMA_ATTR_*}). */
public final class DmaAttributes {
  /** No attribute. */
  public static final int NONE = 0;

  /** Unmap does not copy back: the caller has synced. A map always copies in. */
  public static final int SKIP_CPU_SYNC = 1 << 5;

  /** A failed map is not written to the log. It is counted all the same. */
  public static final int NO_WARN = 1 << 8;

  private DmaAttributes() {}
}
