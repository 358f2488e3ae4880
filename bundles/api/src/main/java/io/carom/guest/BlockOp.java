package io.carom.guest;

/** What a block request does. */
public enum BlockOp {
  /** Reads from the disk into the buffer. */
  READ,
  /** Writes the buffer to the disk. */
  WRITE,
  /** Makes completed writes stable. */
  FLUSH
}
