package io.carom.shell.command;

import java.io.Serial;

/** The command line is wrong; the message says how, in one line. The launcher knows it by name. */
public final class UsageException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** With the line for people. */
  public UsageException(final String message) {
    super(message);
  }
}
