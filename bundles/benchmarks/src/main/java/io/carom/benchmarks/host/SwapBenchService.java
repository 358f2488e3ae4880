package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwapBench;
import io.carom.bench.SwapBenchOptions;
import io.carom.bench.SwapOutcome;
import io.carom.benchmarks.child.SwapMessage;
import io.carom.benchmarks.plan.SwapTask;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * The benchmark of hot swaps. Strategies are swapped in a JVM without a container; bundles are
 * updated in a second container of this distribution, so that the one that is asked, its devices
 * and the session that asks stay as they are.
 */
@Component
public final class SwapBenchService implements SwapBench {
  private final BundleContext context;

  /** For DS. */
  @Activate
  public SwapBenchService(final BundleContext context) {
    this.context = context;
  }

  @Override
  public SwapOutcome run(final SwapBenchOptions options, final BenchProgress progress)
      throws InterruptedException {
    try (Jars jars = Jars.of(context)) {
      final TaskRunner<SwapTask, SwapMessage> plain = ChildJvm.swap(jars.classPath());
      final TaskRunner<SwapTask, SwapMessage> either =
          (task, sink) -> {
            if (task.kind() == SwapTask.Kind.UPDATES) {
              ChildJvm.container(jars.newFolder("container")).run(task, sink);
            } else {
              plain.run(task, sink);
            }
          };
      return new SwapSuite(either, progress, System::nanoTime).run(options);
    }
  }
}
