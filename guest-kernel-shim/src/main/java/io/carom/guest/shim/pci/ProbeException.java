package io.carom.guest.shim.pci;

import java.io.Serial;

/** A driver cannot drive a function; the message is the reason, for the kernel's log. */
public final class ProbeException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** With the reason. */
  public ProbeException(final String message) {
    super(message);
  }
}
