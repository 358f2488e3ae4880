package io.carom.guest;

/** What a block request does. */
public enum BlockOp {
  /** Reads from the disk into the buffer. */
  READ,
  /** Writes the buffer to the disk. */
  WRITE,
  /** Makes completed writes stable. */
  FLUSH,
  /** Says that sectors are not needed any more; there is no buffer. What they read is open. */
  DISCARD,
  /** Makes sectors zero; there is no buffer. */
  WRITE_ZEROES;

  /** Whether a request has a buffer, which is transferred. */
  public boolean transfers() {
    return this == READ || this == WRITE;
  }
}
