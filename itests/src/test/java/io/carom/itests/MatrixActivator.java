package io.carom.itests;

import java.util.Map;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;

/** A bundle with {@link MatrixLoad}. */
public final class MatrixActivator implements BundleActivator {
  /** For the framework. */
  public MatrixActivator() {}

  @Override
  public void start(final BundleContext context) {
    context.registerService(
        MatrixLoad.class,
        new MatrixLoad(context),
        FrameworkUtil.asDictionary(
            Map.of(
                "osgi.command.scope",
                "matrix",
                "osgi.command.function",
                new String[] {"begin", "done", "end"})));
  }

  @Override
  public void stop(final BundleContext context) {}
}
