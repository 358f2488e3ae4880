package io.carom.launcher;

/**
 * How a failed command is told to the user.
 *
 * @param exitCode one of {@link ExitCode}
 * @param message one line
 */
record Failure(int exitCode, String message) {
  private static final String GOGO = "org.apache.felix.gogo.runtime.";

  /** Tells mistakes of the user from failures of the command. */
  static Failure of(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t.getClass().getSimpleName().equals("UsageException")) {
        return new Failure(ExitCode.USAGE, message(t));
      }
      if (t.getClass().getName().equals(GOGO + "CommandNotFoundException")) {
        String command = message(t).replaceFirst("^Command not found: *", "");
        return new Failure(ExitCode.USAGE, "unknown command '" + command + "'; try ./carom --help");
      }
      if (isLanguageError(t)) {
        return new Failure(ExitCode.USAGE, message(t));
      }
    }
    return new Failure(ExitCode.FAILED, message(thrown));
  }

  /** The first line of the message, or the kind of the exception when it carries none. */
  static String message(Throwable thrown) {
    String message = thrown.getMessage();
    if (message == null || message.isBlank()) {
      return thrown.getClass().getSimpleName();
    }
    return message.strip().lines().findFirst().orElseThrow();
  }

  /** The exception at the end of the chain of causes, which names what really happened. */
  static Throwable root(Throwable thrown) {
    Throwable root = thrown;
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      root = t;
    }
    return root;
  }

  /** Gogo cannot parse the statement, or finds no method for the arguments. */
  private static boolean isLanguageError(Throwable t) {
    String type = t.getClass().getName();
    return type.equals(GOGO + "SyntaxError")
        || type.equals(GOGO + "EOFError")
        || (t instanceof IllegalArgumentException && thrownBy(t, GOGO + "Reflective"));
  }

  private static boolean thrownBy(Throwable t, String type) {
    StackTraceElement[] trace = t.getStackTrace();
    return trace.length > 0 && trace[0].getClassName().equals(type);
  }
}
