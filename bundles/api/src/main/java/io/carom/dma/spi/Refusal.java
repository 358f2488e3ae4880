package io.carom.dma.spi;

/** Why a strategy could not place a buffer. */
public enum Refusal {
  /** No room now. */
  FULL,
  /** Room, but not in one run that fits. */
  FRAGMENTED,
  /** Larger than it can ever place for this device. */
  TOO_BIG,
  /** Not reachable under the device's DMA mask. */
  MASK
}
