package io.carom.virtio.device.queue;

import java.io.Serial;

/**
 * The driver broke a rule of the ring or of a request so that the queue cannot go on: the device
 * needs a reset. Carries no stack trace, as a hostile guest can cause any number of them.
 */
public final class QueueException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** A broken rule, in words that name the value. */
  public QueueException(final String message) {
    super(message, null, false, false);
  }
}
