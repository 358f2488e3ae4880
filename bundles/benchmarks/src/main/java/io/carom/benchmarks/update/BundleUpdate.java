package io.carom.benchmarks.update;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.wiring.BundleRevisions;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * Updates a bundle from the file that it was installed from: its components stop, a new revision
 * with classes of its own takes the place, and they start again. The old revision is refreshed away
 * where the framework has not done that by itself: no other bundle is wired to it.
 */
final class BundleUpdate {
  private static final String REFERENCE = "reference:";

  private final BundleContext context;
  private final Bundle bundle;

  BundleUpdate(final BundleContext context, final String symbolicName) {
    this.context = context;
    for (final Bundle each : context.getBundles()) {
      if (symbolicName.equals(each.getSymbolicName())) {
        bundle = each;
        return;
      }
    }
    throw new IllegalStateException("bundle " + symbolicName + " is not installed");
  }

  /**
   * Updates it, and returns when it runs again.
   *
   * @throws IllegalStateException when it does not; one line
   */
  void run() throws InterruptedException {
    final String location = bundle.getLocation();
    final String plain =
        location.startsWith(REFERENCE) ? location.substring(REFERENCE.length()) : location;
    try (InputStream file = URI.create(plain).toURL().openStream()) {
      bundle.update(file);
    } catch (final IOException | BundleException | RuntimeException e) {
      throw new IllegalStateException(
          bundle.getSymbolicName() + " cannot be updated: " + e.getMessage(), e);
    }
    if (bundle.adapt(BundleRevisions.class).getRevisions().size() > 1) {
      refresh();
    }
    if (bundle.getState() != Bundle.ACTIVE) {
      throw new IllegalStateException(bundle.getSymbolicName() + " does not run after its update");
    }
  }

  private void refresh() throws InterruptedException {
    final CountDownLatch refreshed = new CountDownLatch(1);
    context
        .getBundle(0)
        .adapt(FrameworkWiring.class)
        .refreshBundles(
            List.of(bundle),
            event -> {
              if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                refreshed.countDown();
              }
            });
    if (!refreshed.await(Container.PATIENCE_MS, TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException(bundle.getSymbolicName() + " is not refreshed in time");
    }
  }
}
