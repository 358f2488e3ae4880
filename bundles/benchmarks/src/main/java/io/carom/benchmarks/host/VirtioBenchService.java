package io.carom.benchmarks.host;

import io.carom.bench.BenchProgress;
import io.carom.bench.VirtioBench;
import io.carom.bench.VirtioBenchOptions;
import io.carom.bench.VirtioOutcome;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** The benchmark of virtqueues and block devices. */
@Component
public final class VirtioBenchService implements VirtioBench {
  private final BundleContext context;

  /** For DS. */
  @Activate
  public VirtioBenchService(final BundleContext context) {
    this.context = context;
  }

  @Override
  public VirtioOutcome run(final VirtioBenchOptions options, final BenchProgress progress)
      throws InterruptedException {
    try (Jars jars = Jars.of(context)) {
      return new VirtioSuite(ChildJvm.virtio(jars.classPath()), progress, System::nanoTime)
          .run(options);
    }
  }
}
