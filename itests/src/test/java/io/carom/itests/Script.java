package io.carom.itests;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The shipped start script in a process of its own, as a user starts it. */
final class Script {
  private final Path folder;

  /** Runs in a folder, and keeps the output there. */
  Script(final Path folder) {
    this.folder = folder;
  }

  /** How a run ended and what it printed. */
  record Run(int status, String out, String err) {}

  /** Runs {@code carom} with arguments. */
  Run carom(final String... arguments) throws IOException, InterruptedException {
    final List<String> command =
        new ArrayList<>(List.of(Dist.HOME.resolve("bin/carom").toString()));
    command.addAll(List.of(arguments));
    return run(Map.of(), command, folder);
  }

  /** Runs any command. */
  Run run(final Map<String, String> environment, final List<String> command, final Path directory)
      throws IOException, InterruptedException {
    final Path out = folder.resolve("out");
    final Path err = folder.resolve("err");
    final ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().putAll(environment);
    final Process process = builder.start();
    process.getOutputStream().close();
    final int status = process.waitFor();
    return new Run(
        status,
        Files.readString(out, StandardCharsets.UTF_8),
        Files.readString(err, StandardCharsets.UTF_8));
  }
}
