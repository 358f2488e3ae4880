package io.carom.benchmarks.host;

import java.io.Serial;

/** A child did not do its task; the message is one line. */
final class ChildFailure extends Exception {
  @Serial private static final long serialVersionUID = 1;

  ChildFailure(final String line) {
    super(line);
  }
}
