package io.carom.benchmarks.child;

import org.jspecify.annotations.Nullable;

/** One line of a child. */
public interface Reply {
  /** Why the child ends early, one line; null when it does not. */
  @Nullable String error();

  /** Whether everything that was asked for is said. */
  boolean done();
}
