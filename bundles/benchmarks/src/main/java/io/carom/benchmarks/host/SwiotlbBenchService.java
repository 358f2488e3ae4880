package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.SwiotlbBench;
import io.carom.bench.SwiotlbBenchOptions;
import io.carom.bench.SwiotlbOutcome;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** The benchmark of the bounce-buffer strategies. */
@Component
public final class SwiotlbBenchService implements SwiotlbBench {
  private final BundleContext context;

  /** For DS. */
  @Activate
  public SwiotlbBenchService(final BundleContext context) {
    this.context = context;
  }

  @Override
  public SwiotlbOutcome run(final SwiotlbBenchOptions options, final BenchProgress progress)
      throws InterruptedException {
    try (Jars jars = Jars.of(context)) {
      return new SwiotlbSuite(ChildJvm.swiotlb(jars.classPath()), progress, System::nanoTime)
          .run(options);
    }
  }
}
