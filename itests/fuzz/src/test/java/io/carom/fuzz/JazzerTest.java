package io.carom.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Fuzzes each target for {@code -Dfuzz.seconds}, guided by coverage: Jazzer in a JVM of its own,
 * with a bounded heap and a bounded time for an input. What it finds stays in {@code target/fuzz},
 * with the input that fails as {@code crash-...}; put it into the target's corpus under a name that
 * says what it is.
 */
@Execution(ExecutionMode.CONCURRENT)
class JazzerTest {
  private static final String MAIN = "com.code_intelligence.jazzer.Jazzer";
  private static final Pattern COVERED = Pattern.compile("cov: (\\d+)");

  /** Edges that the kept inputs reach at least: below, nothing was instrumented. */
  private static final int LEAST_EDGES = 100;

  /** Beside the fuzzing: the start of a JVM on a busy machine. */
  private static final int PATIENCE_SECONDS = 600;

  private static boolean supported() {
    final String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    final String arch = System.getProperty("os.arch");
    return (os.startsWith("linux") || os.startsWith("mac"))
        && List.of("amd64", "x86_64", "aarch64").contains(arch);
  }

  @ParameterizedTest
  @EnumSource
  void findsNothing(final Targets target) throws IOException, InterruptedException {
    assumeTrue(supported(), "Jazzer has no native library for this platform");
    final String only = System.getProperty("fuzz.target", "");
    assumeTrue(target.name().contains(only.toUpperCase(Locale.ROOT)), "not asked for");
    final int seconds = Integer.getInteger("fuzz.seconds", 3);
    final String name = target.target().getSimpleName();
    final Path work = Path.of("target", "fuzz", name).toAbsolutePath();
    final Path found = Files.createDirectories(work.resolve("corpus"));
    final Path log = work.resolve("log.txt");
    final Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                MAIN,
                "--target_class=" + target.target().getName(),
                "--instrumentation_includes=io.carom.**",
                // bugs of the Java library in the code under test: there is none that could have
                // any
                "--custom_hook_includes=none",
                "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.*",
                "--reproducer_path=" + work,
                "-artifact_prefix=" + work + "/",
                "-max_total_time=" + seconds,
                "-timeout=300",
                "-rss_limit_mb=2048",
                "-max_len=1024",
                found.toString(),
                target.corpus().toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(process.waitFor(PATIENCE_SECONDS + 2L * seconds, TimeUnit.SECONDS))
          .as("%s ends; see %s", name, log)
          .isTrue();
    } finally {
      process.destroyForcibly();
    }
    final String output = Files.readString(log);
    assertThat(process.exitValue()).as("%s: %s", name, lastLines(output)).isZero();
    assertThat(covered(output)).as("edges of %s", name).isGreaterThan(LEAST_EDGES);
  }

  private static int covered(final String output) {
    int most = 0;
    final Matcher matcher = COVERED.matcher(output);
    while (matcher.find()) {
      most = Math.max(most, Integer.parseInt(matcher.group(1)));
    }
    return most;
  }

  private static String lastLines(final String output) {
    final String[] lines = output.split("\n");
    return String.join(
        "\n", Arrays.copyOfRange(lines, Math.max(0, lines.length - 40), lines.length));
  }
}
