package io.carom.guest;

import java.io.Serial;

/** A block request failed; the message names device, request and status. */
public final class BlockIoException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  private final BlockStatus status;

  /** With the status and the line for people. */
  public BlockIoException(final BlockStatus status, final String message) {
    super(message);
    this.status = status;
  }

  /** How it failed. */
  public BlockStatus status() {
    return status;
  }
}
