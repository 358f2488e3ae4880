package io.carom.dma;

import java.io.Serial;

/** There is no coherent memory of the wanted size; the message says where and what to change. */
public final class DmaMemoryException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** With the line for the user. */
  public DmaMemoryException(final String message) {
    super(message);
  }
}
