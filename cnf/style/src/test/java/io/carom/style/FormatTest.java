package io.carom.style;

import static org.junit.jupiter.api.Assertions.fail;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * Compares each file with what google-java-format makes of it, or, with {@code -Dstyle.fix=true},
 * replaces it by that.
 */
class FormatTest {
  private static final String FIX = "mvn -q -pl cnf/style test -Dstyle.fix=true";

  private final Formatter formatter = new Formatter();

  @Test
  void sourcesAreFormatted() throws IOException {
    boolean fix = Boolean.getBoolean("style.fix");
    String version = String.valueOf(Formatter.class.getProtectionDomain().getCodeSource());
    Passed passed = new Passed(Path.of("target", "format-passed"), version);
    List<String> problems =
        Sources.all().parallelStream()
            .map(file -> check(file, fix, passed))
            .flatMap(Optional::stream)
            .toList();
    passed.save();
    if (!problems.isEmpty()) {
      fail("to format all files: " + FIX + "\n" + String.join("\n", problems));
    }
  }

  private Optional<String> check(Path file, boolean fix, Passed passed) {
    try {
      String source = Files.readString(file);
      if (passed.contains(source)) {
        return Optional.empty();
      }
      String formatted = formatter.formatSourceAndFixImports(source);
      if (fix || formatted.equals(source)) {
        passed.add(formatted);
      }
      if (formatted.equals(source)) {
        return Optional.empty();
      }
      if (fix) {
        Files.writeString(file, formatted);
        return Optional.empty();
      }
      return Optional.of(Sources.name(file) + ": not formatted");
    } catch (FormatterException | IOException e) {
      return Optional.of(Sources.name(file) + ": " + e.getMessage());
    }
  }
}
