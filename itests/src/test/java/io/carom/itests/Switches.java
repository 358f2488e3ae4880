package io.carom.itests;

/**
 * Makes code of a bundle misbehave that was built with {@link #CODE} in it. Switches are properties
 * of the JVM, which every bundle sees.
 */
final class Switches {
  private static final String HANG = "carom.itests.hang";
  private static final String THROW = "carom.itests.throw";
  private static final String ONCE = "carom.itests.once";

  /** What a test puts first into a method that is to misbehave when it is told to. */
  static final String CODE =
      "while (Boolean.getBoolean(\""
          + HANG
          + "\")) { java.util.concurrent.locks.LockSupport.parkNanos(1_000_000L); }"
          + " if (Boolean.getBoolean(\""
          + THROW
          + "\")) { throw new IllegalStateException(\"thrown by a test\"); }\n";

  /** The same, throwing once for each time that it is told to. */
  static final String THROW_ONCE =
      "if (System.clearProperty(\""
          + ONCE
          + "\") != null) { throw new IllegalStateException(\"thrown by a test\"); }\n";

  private Switches() {}

  static void hang(final boolean on) {
    System.setProperty(HANG, String.valueOf(on));
  }

  static void fail(final boolean on) {
    System.setProperty(THROW, String.valueOf(on));
  }

  /** Has one call throw, and waits until it has. */
  static void failOnce() throws Exception {
    System.setProperty(ONCE, "");
    Await.until("a call has thrown", () -> System.getProperty(ONCE) == null);
  }

  /** Whether a thread is held in a method of that class. */
  static boolean hanging(final String type) {
    for (final StackTraceElement[] stack : Thread.getAllStackTraces().values()) {
      for (int i = 1; i < stack.length; i++) {
        if (stack[i].getClassName().equals(type)
            && stack[i - 1].getMethodName().equals("parkNanos")) {
          return true;
        }
      }
    }
    return false;
  }
}
