package io.carom.guest.shim.block;

import java.io.Serial;

/** The worker's queue was taken over: it must end and touch nothing of it any more. */
final class OwnershipLostException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  OwnershipLostException() {
    super("taken over", null, false, false);
  }
}
