package io.carom.launcher;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/** Runs statements one after another and ends at the first that fails. */
final class Batch {
  private static final boolean TRACE = Boolean.getBoolean("carom.trace");

  private final Console console;
  private final SwitchedOutput output = new SwitchedOutput();

  Batch(Console console) {
    this.console = console;
  }

  /** Runs them all in one session and returns the exit status. */
  int run(BundleContext context, List<String> statements) throws BootException {
    try (GogoSession session = GogoSession.open(context, System.in, output, console.err())) {
      for (String statement : statements) {
        int status = run(session, statement);
        if (status != ExitCode.FINE) {
          return status;
        }
      }
      return ExitCode.FINE;
    } finally {
      console.out().flush();
    }
  }

  // whatever a command throws, errors included, is its failure and not the launcher's
  @SuppressWarnings("CatchThrowable")
  private int run(GogoSession session, String statement) {
    boolean json = Statements.wantsJson(statement);
    ByteArrayOutputStream held = new ByteArrayOutputStream();
    output.target = json ? held : console.out();
    try {
      Object result = session.execute(statement);
      String text = result == null ? null : session.format(result);
      if (json) {
        // a command either returns its JSON or prints it; what else it prints is prose
        (text == null ? console.out() : console.err()).writeBytes(held.toByteArray());
      }
      print(text);
      boolean failed = result != null && Foreign.isTrue(result, "failed");
      return failed ? ExitCode.FAILED : ExitCode.FINE;
    } catch (Throwable thrown) {
      console.out().flush();
      console.err().writeBytes(held.toByteArray());
      return report(Failure.of(thrown), thrown, json);
    }
  }

  private int report(Failure failure, Throwable thrown, boolean json) {
    console.complain(failure.message());
    if (TRACE) {
      thrown.printStackTrace(console.err());
    }
    if (json) {
      console.complainAsJson(failure.message());
    }
    return failure.exitCode();
  }

  private void print(@Nullable String text) {
    if (text != null && !text.isEmpty()) {
      console.out().print(text);
      if (!text.endsWith("\n")) {
        console.out().println();
      }
    }
    console.out().flush();
  }

  /** The session's standard output, which leads elsewhere while a statement promises JSON. */
  private static final class SwitchedOutput extends OutputStream {
    private volatile OutputStream target = OutputStream.nullOutputStream();

    @Override
    public void write(int b) throws IOException {
      target.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      target.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
      target.flush();
    }
  }
}
