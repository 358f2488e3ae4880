package io.carom.benchmarks.child;

import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What programs of children have in common: each reads a task, one JSON object on a line of
 * standard input, and prints what it measured. It ends when standard input does, so that it never
 * outlives who started it.
 */
public final class Child {
  private static final int FAILED = 1;
  private static final int ORPHANED = 3;

  /**
   * Does a task.
   *
   * @param <T> kind of task
   * @param <M> what is said of it
   */
  @FunctionalInterface
  public interface Work<T, M> {
    /** Returns when it is done. */
    void run(T task, Consumer<M> sink) throws InterruptedException;
  }

  private Child() {}

  /**
   * Reads a task, has it done, and ends this JVM.
   *
   * @param done what is said at the end
   * @param error what is said when the work throws
   */
  public static <T, M> void run(
      final Class<T> type, final Work<T, M> work, final M done, final Function<String, M> error)
      throws IOException {
    final Gson gson = new Gson();
    // The pipe to whoever started it, which no one else writes to.
    final PrintStream out =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    final BufferedReader in =
        new BufferedReader(
            new InputStreamReader(new FileInputStream(FileDescriptor.in), StandardCharsets.UTF_8));
    final String line = in.readLine();
    if (line == null) {
      System.exit(ORPHANED);
      return;
    }
    Thread.ofPlatform().daemon().name("bench-parent").start(() -> endWith(in));
    try {
      work.run(gson.fromJson(line, type), message -> out.println(gson.toJson(message)));
      out.println(gson.toJson(done));
      System.exit(0);
    } catch (final InterruptedException | RuntimeException | Error e) {
      out.println(gson.toJson(error.apply(reason(e))));
      System.exit(FAILED);
    }
  }

  private static void endWith(final BufferedReader in) {
    try {
      while (in.readLine() != null) {
        // nothing else is said
      }
    } catch (final IOException e) {
      // as its end
    }
    System.exit(ORPHANED); // a container deletes its cache then
  }

  private static String reason(final Throwable e) {
    final String message = e.getMessage();
    return message != null && e instanceof IllegalStateException
        ? message.lines().findFirst().orElse("")
        : e + (e.getStackTrace().length == 0 ? "" : " at " + e.getStackTrace()[0]);
  }
}
