package io.carom.benchmarks.host;

import com.google.gson.Gson;
import com.google.gson.JsonSyntaxException;
import io.carom.benchmarks.child.IommuMessage;
import io.carom.benchmarks.child.Message;
import io.carom.benchmarks.child.Reply;
import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.child.VirtioMessage;
import io.carom.benchmarks.plan.IommuTask;
import io.carom.benchmarks.plan.SwapTask;
import io.carom.benchmarks.plan.Task;
import io.carom.benchmarks.plan.VirtioTask;
import io.carom.benchmarks.update.Updates;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a task in a JVM of its own, of the JDK that runs this one, with default flags: but for the
 * size of its heap, and the permission to use native memory.
 *
 * @param <T> kind of task
 * @param <M> what is said of it
 */
final class ChildJvm<T, M extends Reply> implements TaskRunner<T, M> {
  private static final String PROGRAMS = "io.carom.benchmarks.child.";
  private static final String HEAP = "-Xmx3g";

  /** Longer than the longest stretch without a word: a full pool of 1 GiB on a slow machine. */
  private static final long SILENCE_SECONDS = 120;

  private static final String END = "";
  private static final List<String> OPTION_VARIABLES =
      List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS");

  /** How long a container may take to stop and to delete its cache. */
  private static final long STOP_SECONDS = 15;

  private final Gson gson = new Gson();
  private final List<String> arguments;
  private final File folder;
  private final long stopSeconds;
  private final Class<M> reply;

  private ChildJvm(
      final List<String> arguments,
      final File folder,
      final long stopSeconds,
      final Class<M> reply) {
    this.arguments = arguments;
    this.folder = folder;
    this.stopSeconds = stopSeconds;
    this.reply = reply;
  }

  private ChildJvm(final String classPath, final String program, final Class<M> reply) {
    this(
        List.of(HEAP, "--enable-native-access=ALL-UNNAMED", "-cp", classPath, PROGRAMS + program),
        new File(System.getProperty("java.io.tmpdir")),
        0,
        reply);
  }

  /** For bounce-buffer strategies. */
  static ChildJvm<Task, Message> swiotlb(final String classPath) {
    return new ChildJvm<>(classPath, "Main", Message.class);
  }

  /** For IOMMU strategies. */
  static ChildJvm<IommuTask, IommuMessage> iommu(final String classPath) {
    return new ChildJvm<>(classPath, "IommuMain", IommuMessage.class);
  }

  /** For virtqueues and block devices. */
  static ChildJvm<VirtioTask, VirtioMessage> virtio(final String classPath) {
    return new ChildJvm<>(classPath, "VirtioMain", VirtioMessage.class);
  }

  /** For hot swaps of strategies. */
  static ChildJvm<SwapTask, SwapMessage> swap(final String classPath) {
    return new ChildJvm<>(classPath, "SwapMain", SwapMessage.class);
  }

  /**
   * For updates of bundles: a second container, which is started as this one was.
   *
   * @param folder where it keeps what it writes
   * @throws ChildFailure when this one was not started by the launcher
   */
  static ChildJvm<SwapTask, SwapMessage> container(final Path folder) throws ChildFailure {
    return new ChildJvm<>(
        Relaunch.arguments(folder, Updates.COMMAND),
        folder.toFile(),
        STOP_SECONDS,
        SwapMessage.class);
  }

  @Override
  public void run(final T task, final Consumer<M> sink) throws ChildFailure, InterruptedException {
    final Process process = start();
    try {
      final LastLine errors = new LastLine(process.getErrorStream());
      try (OutputStream in = process.getOutputStream()) { // open until the child has ended
        in.write((gson.toJson(task) + "\n").getBytes(StandardCharsets.UTF_8));
        in.flush();
        listen(process, errors, sink);
      }
    } catch (final IOException e) {
      throw new ChildFailure("its JVM does not listen (" + e.getMessage() + ")");
    } finally {
      stop(process);
    }
  }

  private void stop(final Process process) throws InterruptedException {
    try {
      if (stopSeconds > 0) {
        process.waitFor(stopSeconds, TimeUnit.SECONDS);
      }
    } finally {
      process.destroyForcibly();
    }
  }

  private Process start() throws ChildFailure {
    final Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    final List<String> command = new ArrayList<>(List.of(java.toString()));
    command.addAll(arguments);
    final ProcessBuilder builder = new ProcessBuilder(command);
    OPTION_VARIABLES.forEach(builder.environment()::remove); // default flags
    builder.directory(folder);
    try {
      return builder.start();
    } catch (final IOException e) {
      throw new ChildFailure("its JVM does not start: " + e.getMessage());
    }
  }

  private void listen(final Process process, final LastLine errors, final Consumer<M> sink)
      throws ChildFailure, InterruptedException {
    final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    Thread.ofPlatform()
        .daemon()
        .name("bench-child-out")
        .start(() -> read(process.getInputStream(), lines));
    while (true) {
      final String line = lines.poll(SILENCE_SECONDS, TimeUnit.SECONDS);
      if (line == null) {
        throw new ChildFailure("its JVM said nothing for " + SILENCE_SECONDS + " s");
      }
      if (line.equals(END)) {
        final int status = process.waitFor();
        final String last = errors.last();
        throw new ChildFailure(
            "its JVM ended early with status " + status + (last == null ? "" : ": " + last));
      }
      final M message = parse(line);
      if (message == null) {
        continue; // a warning of the JVM
      }
      if (message.done()) {
        return;
      }
      final String error = message.error();
      if (error != null) {
        throw new ChildFailure(error);
      }
      sink.accept(message);
    }
  }

  private @Nullable M parse(final String line) {
    try {
      return line.startsWith("{") ? gson.fromJson(line, reply) : null;
    } catch (final JsonSyntaxException e) {
      return null;
    }
  }

  private static void read(final InputStream stream, final BlockingQueue<String> lines) {
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (!line.isEmpty()) {
          lines.add(line);
        }
      }
    } catch (final IOException e) {
      // the child was ended
    }
    lines.add(END);
  }

  /** The last line of what a child complained of. */
  private static final class LastLine {
    private final Thread reader;
    private volatile @Nullable String line;

    LastLine(final InputStream stream) {
      final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
      reader =
          Thread.ofPlatform()
              .daemon()
              .name("bench-child-err")
              .start(
                  () -> {
                    read(stream, lines);
                    for (final String each : lines) {
                      line = each.equals(END) ? line : each;
                    }
                  });
    }

    @Nullable String last() throws InterruptedException {
      reader.join(TimeUnit.SECONDS.toMillis(1));
      return line;
    }
  }
}
