package io.carom.strategies.model;

import java.util.ArrayDeque;

/** The last steps of a run, for who has to find out what went wrong. */
final class StepLog {
  private static final int MOST = 40;

  private final ArrayDeque<String> last = new ArrayDeque<>();
  private int count;

  StepLog() {}

  @SuppressWarnings("AnnotateFormatMethod") // the annotation would be one more dependency
  void add(final String format, final Object... arguments) {
    if (last.size() == MOST) {
      last.removeFirst();
    }
    last.addLast("  " + ++count + ". " + format.formatted(arguments));
  }

  @Override
  public String toString() {
    return String.join("\n", last);
  }
}
