package io.carom.shell.demo;

import io.carom.shell.service.ShellServices;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/** Stops and starts the bundle that the swiotlb strategies come from. */
final class BundleRestart {
  static final String BUNDLE = "io.carom.swiotlb";

  private static final long ABSENT_MS = 100;

  private BundleRestart() {}

  /** Does it, and says how long the bundle was away, milliseconds. */
  static double run(final ShellServices services) throws InterruptedException {
    final Bundle bundle = services.bundle(BUNDLE);
    final long start = System.nanoTime();
    try {
      bundle.stop(Bundle.STOP_TRANSIENT);
      Thread.sleep(ABSENT_MS);
    } catch (BundleException e) {
      throw new IllegalStateException("cannot stop " + BUNDLE + ": " + e.getMessage(), e);
    } finally {
      start(bundle);
    }
    return (System.nanoTime() - start) / (double) TimeUnit.MILLISECONDS.toNanos(1);
  }

  private static void start(final Bundle bundle) {
    try {
      bundle.start(Bundle.START_TRANSIENT);
    } catch (BundleException e) {
      throw new IllegalStateException("cannot start " + BUNDLE + ": " + e.getMessage(), e);
    }
  }
}
