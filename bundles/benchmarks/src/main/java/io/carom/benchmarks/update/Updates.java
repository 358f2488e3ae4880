package io.carom.benchmarks.update;

import io.carom.benchmarks.child.Child;
import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.SwapTask;
import java.io.IOException;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * The command by which a container that was started for it updates its bundles. It speaks the
 * protocol of the other children: a task on standard input, messages on standard output. In any
 * other container there is no such command.
 *
 * <p>It is Gogo's own, and not one of the shell's: the shell is updated as well.
 */
@Component(service = {})
public final class Updates {
  /** The command. */
  public static final String COMMAND = "carombench:updates";

  /** Property of the JVM without which there is no such command. */
  public static final String ENABLED = "carom.bench.updates";

  private final BundleContext context;

  /** For DS. */
  @Activate
  public Updates(final BundleContext context) {
    this.context = context;
    if (Boolean.getBoolean(ENABLED)) {
      final String[] name = COMMAND.split(":", 2);
      context.registerService(
          Updates.class,
          this,
          FrameworkUtil.asDictionary(
              Map.of("osgi.command.scope", name[0], "osgi.command.function", name[1])));
    }
  }

  /** Does the task, and ends the container. */
  public void updates() throws IOException {
    Child.run(
        SwapTask.class,
        (task, sink) -> {
          try (Container container = new Container(context)) {
            new UpdateRun(container, task, sink).run();
          }
        },
        SwapMessage.DONE,
        SwapMessage::ofError);
  }
}
