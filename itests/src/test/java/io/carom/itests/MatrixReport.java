package io.carom.itests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** What was measured while the cells of the matrix ran: printed, and kept in a file. */
final class MatrixReport {
  private MatrixReport() {}

  /** Where reports of these tests go. */
  static Path folder() {
    return Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Prints a line and appends it to {@code matrix-pauses.txt}. */
  static void line(final String text) throws IOException {
    System.out.println("matrix: " + text);
    Files.writeString(
        folder().resolve("matrix-pauses.txt"),
        text + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}
