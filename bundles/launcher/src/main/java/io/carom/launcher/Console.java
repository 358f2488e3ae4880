package io.carom.launcher;

import java.io.PrintStream;

/**
 * The process's own streams. They are taken before the container starts: Gogo replaces {@code
 * System.out} by a stream that looks for the session of the calling thread, and giving that stream
 * back to Gogo recurses without end.
 *
 * @param out results
 * @param err progress, logs and errors
 */
record Console(PrintStream out, PrintStream err) {
  /** Writes one line that says what went wrong. */
  void complain(String message) {
    err.println("carom: " + message);
  }

  /** Writes what went wrong as the one JSON object that a {@code --json} run promises. */
  void complainAsJson(String message) {
    out.println("{\"error\": " + quote(message) + "}");
    out.flush();
  }

  private static String quote(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < ' ') {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
