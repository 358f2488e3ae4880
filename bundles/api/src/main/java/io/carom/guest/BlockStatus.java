package io.carom.guest;

/** How a block request ended. */
public enum BlockStatus {
  /** Done. */
  OK,
  /** The device reported an error. */
  IO_ERROR,
  /** The device does not know the request. */
  UNSUPPORTED,
  /** No completion by its deadline. */
  TIMEOUT,
  /** The device is gone or was reset. */
  GONE
}
