package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.IommuBench;
import io.carom.bench.IommuBenchOptions;
import io.carom.bench.IommuOutcome;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** The benchmark of the IOMMU strategies. */
@Component
public final class IommuBenchService implements IommuBench {
  private final BundleContext context;

  /** For DS. */
  @Activate
  public IommuBenchService(final BundleContext context) {
    this.context = context;
  }

  @Override
  public IommuOutcome run(final IommuBenchOptions options, final BenchProgress progress)
      throws InterruptedException {
    try (Jars jars = Jars.of(context)) {
      return new IommuSuite(ChildJvm.iommu(jars.classPath()), progress, System::nanoTime)
          .run(options);
    }
  }
}
