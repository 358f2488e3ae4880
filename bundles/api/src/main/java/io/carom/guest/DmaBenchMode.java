package io.carom.guest;

/** What one step of the DMA benchmark maps, under the kernel's names. */
public enum DmaBenchMode {
  /** One buffer of {@code granule} pages in one run. */
  SINGLE_MODE,
  /** A list of {@code granule} buffers of one page each. */
  SG_MODE
}
