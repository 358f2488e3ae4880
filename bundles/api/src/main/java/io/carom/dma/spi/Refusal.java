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
  MASK,
  /**
   * The pool is above its high mark and the caller may sleep: the core waits and asks again, up to
   * its deadline. Only an answer to requests with MAY_SLEEP.
   */
  THROTTLED
}
