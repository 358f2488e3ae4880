package io.carom.launcher;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/** A session of the container's command processor. */
final class GogoSession implements AutoCloseable {
  private static final String API = "org.apache.felix.service.command.";
  private static final int INSPECT = 0;

  private final Object session;
  private final Method execute;
  private final Method format;

  private GogoSession(Object session, Class<?> type) throws NoSuchMethodException {
    this.session = session;
    execute = type.getMethod("execute", CharSequence.class);
    format = type.getMethod("format", Object.class, int.class);
  }

  /** Opens a session whose commands read and write the given streams. */
  static GogoSession open(BundleContext context, InputStream in, OutputStream out, OutputStream err)
      throws BootException {
    ServiceReference<?> reference = context.getServiceReference(API + "CommandProcessor");
    Object processor = reference == null ? null : context.getService(reference);
    if (processor == null) {
      throw new BootException("there is no command processor");
    }
    try {
      ClassLoader loader = processor.getClass().getClassLoader();
      Method create =
          Class.forName(API + "CommandProcessor", true, loader)
              .getMethod(
                  "createSession", InputStream.class, OutputStream.class, OutputStream.class);
      Object session = Foreign.invoke(processor, create, in, out, err);
      if (session == null) {
        throw new BootException("the command processor opens no session");
      }
      return new GogoSession(session, Class.forName(API + "CommandSession", true, loader));
    } catch (ReflectiveOperationException e) {
      throw new BootException("the command processor is of another kind: " + e.getMessage());
    }
  }

  /** Runs one statement; throws what the command throws. */
  @Nullable Object execute(String statement) {
    return Foreign.invoke(session, execute, statement);
  }

  /** The result as the shell would show it. */
  String format(Object result) {
    return String.valueOf(Foreign.invoke(session, format, result, INSPECT));
  }

  @Override
  public void close() {
    Foreign.call(session, "close");
  }
}
