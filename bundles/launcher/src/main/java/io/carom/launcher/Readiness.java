package io.carom.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.util.tracker.ServiceTracker;

/** Waits for what comes to life after the bundles that bring it have started. */
final class Readiness {
  private static final long SECONDS = 10;

  private final BundleContext context;

  Readiness(BundleContext context) {
    this.context = context;
  }

  /**
   * Waits until ConfigurationAdmin has every configuration of the file. The Configurator writes
   * them on a thread of its own; a component that started first would start twice.
   */
  void awaitConfigurations(Path file) throws BootException, InterruptedException, IOException {
    if (!Files.exists(file)) {
      return;
    }
    Set<String> missing = new HashSet<>(ConfigurationFile.pids(Files.readString(file)));
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (!missing.isEmpty()) {
      missing.removeAll(configuredPids());
      if (System.nanoTime() > deadline) {
        throw new BootException("configuration of " + String.join(", ", missing) + " is missing");
      }
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  /** Waits until the guest runs and the commands are there, as far as bundles bring them. */
  void awaitCommands() throws BootException, InterruptedException {
    if (hasComponents("io.carom.guest.shim")) {
      await("(objectClass=io.carom.guest.GuestKernel)", "the guest kernel");
    }
    if (hasComponents("io.carom.shell")) {
      await("(&(osgi.command.scope=carom)(osgi.command.function=*))", "the command set");
    }
  }

  private void await(String filter, String what) throws BootException, InterruptedException {
    try {
      ServiceTracker<Object, Object> tracker =
          new ServiceTracker<>(context, context.createFilter(filter), null);
      tracker.open(true);
      boolean found = tracker.waitForService(TimeUnit.SECONDS.toMillis(SECONDS)) != null;
      tracker.close();
      if (!found) {
        throw new BootException(what + " did not start within " + SECONDS + " s");
      }
    } catch (InvalidSyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private boolean hasComponents(String symbolicName) {
    for (Bundle bundle : context.getBundles()) {
      if (symbolicName.equals(bundle.getSymbolicName())) {
        return bundle.getHeaders().get("Service-Component") != null;
      }
    }
    return false;
  }

  private Set<String> configuredPids() {
    Set<String> pids = new HashSet<>();
    ServiceReference<?> reference =
        context.getServiceReference("org.osgi.service.cm.ConfigurationAdmin");
    if (reference == null) {
      return pids;
    }
    Object admin = context.getService(reference);
    if (admin != null) {
      Object[] configurations =
          (Object[]) Foreign.call(admin, "listConfigurations", String.class, null);
      for (Object configuration : configurations == null ? new Object[0] : configurations) {
        pids.add(String.valueOf(Foreign.call(configuration, "getPid")));
      }
    }
    return pids;
  }
}
