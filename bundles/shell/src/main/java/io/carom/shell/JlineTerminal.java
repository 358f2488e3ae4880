package io.carom.shell;

import io.carom.shell.command.Terminal;
import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/**
 * The terminal of an interactive Gogo session. It is JLine's, of which this bundle imports nothing:
 * it is optional, and its classes are those of whichever bundle made the session.
 */
public final class JlineTerminal implements Terminal {
  private static final String TERMINAL = "org.jline.terminal.Terminal";
  private static final String ATTRIBUTES = "org.jline.terminal.Attributes";

  private final Object terminal;
  private final Class<?> type;

  private JlineTerminal(final Object terminal, final Class<?> type) {
    this.terminal = terminal;
    this.type = type;
  }

  /** The terminal in a session's variable, or null when there is none, or another one. */
  public static @Nullable Terminal of(final @Nullable Object variable) {
    final ClassLoader loader = variable == null ? null : variable.getClass().getClassLoader();
    if (variable == null || loader == null) {
      return null;
    }
    try {
      final Class<?> type = loader.loadClass(TERMINAL);
      return type.isInstance(variable) ? new JlineTerminal(variable, type) : null;
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  @Override
  public Raw raw() {
    final Object before = call(terminal, type, "enterRawMode");
    return () -> {
      try {
        final Class<?> attributes = loader().loadClass(ATTRIBUTES);
        type.getMethod("setAttributes", attributes).invoke(terminal, before);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("the terminal keeps its raw mode: " + e, e);
      }
    };
  }

  private ClassLoader loader() {
    return type.getClassLoader();
  }

  @Override
  public int key(final long timeoutMs) {
    final Object reader = call(terminal, type, "reader");
    try {
      final Method read = reader.getClass().getMethod("read", long.class);
      read.setAccessible(true);
      return (int) read.invoke(reader, timeoutMs);
    } catch (InvocationTargetException e) {
      return END;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the terminal gives no keys: " + e, e);
    }
  }

  @Override
  public void show(final String text) {
    final PrintWriter writer = (PrintWriter) call(terminal, type, "writer");
    writer.print(text);
    writer.flush();
  }

  private static Object call(final Object on, final Class<?> as, final String method) {
    try {
      return as.getMethod(method).invoke(on);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("the terminal does not " + method + ": " + e, e);
    }
  }
}
