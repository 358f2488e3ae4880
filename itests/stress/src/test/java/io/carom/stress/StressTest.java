package io.carom.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Runs all stress tests in a JVM of their own: shortly with every build, or with {@code
 * -Dstress=full} for long and under all the compilers and flags that jcstress knows. Its report is
 * left in {@code target/jcstress}.
 */
class StressTest {
  private static final Pattern RESULTS =
      Pattern.compile(
          "Results: (\\d+) planned; (\\d+) passed, (\\d+) failed, (\\d+) soft errs, (\\d+) hard"
              + " errs");
  private static final List<String> SHORT =
      List.of(
          // one JVM for each test, with the actors close together
          "-f",
          "1",
          "-fsm",
          "1",
          "-iters",
          "1",
          "-time",
          "400",
          "-strideSize",
          "32",
          "-sc",
          "false",
          "-af",
          "NONE",
          "-jvmArgs",
          "-XX:+UseSerialGC");
  private static final List<String> FULL = List.of("-m", "default", "-strideSize", "32");
  private static final long SHORT_MINUTES = 10; // a minute, unless the machine does much else
  private static final long FULL_MINUTES = 24 * 60;

  @Test
  void noForbiddenOutcome() throws IOException, InterruptedException {
    final boolean full = System.getProperty("stress", "short").equals("full");
    final Path target = Path.of(System.getProperty("basedir", ".")).resolve("target");
    final Path folder = Files.createDirectories(target.resolve("jcstress")).toAbsolutePath();
    final Path output = folder.resolve("output.txt");
    final Process child =
        new ProcessBuilder(command(full ? FULL : SHORT))
            .directory(folder.toFile()) // where jcstress leaves its raw results
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    if (!child.waitFor(full ? FULL_MINUTES : SHORT_MINUTES, TimeUnit.MINUTES)) {
      child.descendants().forEach(ProcessHandle::destroyForcibly);
      child.destroyForcibly();
    }
    final int status = child.waitFor();
    final String text = Files.readString(output);
    final String what = failures(text) + "\nall of it: " + output;

    assertThat(status).as(what).isZero();
    final Matcher results = last(text);
    final int planned = number(results, 1);
    assertThat(planned).as("configurations, " + what).isGreaterThanOrEqualTo(tests());
    assertThat(number(results, 2)).as("passed, " + what).isEqualTo(planned);
  }

  private static List<String> command(final List<String> options) {
    final List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add("org.openjdk.jcstress.Main");
    command.addAll(List.of("-r", "report"));
    command.addAll(options);
    return command;
  }

  /** How many tests the annotation processor listed. */
  private static int tests() throws IOException {
    try (var list = StressTest.class.getResourceAsStream("/META-INF/TestList")) {
      return (int)
          new String(
                  Objects.requireNonNull(list).readAllBytes(),
                  java.nio.charset.StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.isBlank())
              .count();
    }
  }

  private static Matcher last(final String text) {
    final Matcher matcher = RESULTS.matcher(text);
    int start = -1;
    while (matcher.find()) {
      start = matcher.start();
    }
    assertThat(start).as("no results in: " + text).isNotNegative();
    matcher.find(start);
    return matcher;
  }

  private static int number(final Matcher matcher, final int group) {
    return Integer.parseInt(matcher.group(group));
  }

  /** What jcstress says of tests that did not pass: from their line to the next empty one. */
  private static String failures(final String text) {
    final StringBuilder result = new StringBuilder();
    boolean failing = false;
    for (final String line : text.lines().toList()) {
      failing =
          line.contains("[FAILED]")
              || line.contains("[ERROR]")
              || (failing && !line.startsWith("("));
      if (failing) {
        result.append(line).append('\n');
      }
    }
    return result.toString();
  }
}
