package io.carom.virtio.device.queue;

import java.io.Serial;

/**
 * The driver broke a rule of the ring or of a request so that the queue cannot go on: the device
 * needs a reset. Carries no stack trace, as a hostile guest can cause any number of them.
 */
public final class QueueException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final boolean revoked;

  /** A broken rule, in words that name the value. */
  public QueueException(final String message) {
    this(message, false);
  }

  /**
   * Memory that cannot be reached.
   *
   * @param revoked whether that is as the port was revoked meanwhile, so that no driver is to blame
   */
  QueueException(final String message, final boolean revoked) {
    super(message, null, false, false);
    this.revoked = revoked;
  }

  /**
   * Whether the port was revoked in the middle of a section. The device goes away or its code is
   * replaced: what was not taken yet is left to whoever comes next.
   */
  public boolean revoked() {
    return revoked;
  }
}
