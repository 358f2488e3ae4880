package io.carom.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;

/** An OSGi framework with the bundles of the distribution, on a cache of its own. */
final class Container implements AutoCloseable {
  /** What serves the project's bundles, and must be configured before the first of them starts. */
  private static final int SERVICES = 19;

  private static final int BUNDLES = 89;
  private static final int SHELL = 90;
  private static final long LEVEL_SECONDS = 60;
  private static final long STOP_MILLIS = 5_000;

  private final Home home;
  private final Console console;
  private final Path cache;
  private final Framework framework;
  private volatile boolean booted;

  private Container(Home home, Console console, Path cache, Framework framework) {
    this.home = home;
    this.console = console;
    this.cache = cache;
    this.framework = framework;
  }

  /** Starts everything up to the project's own bundles, and waits until they can take commands. */
  static Container boot(Home home, Console console, boolean interactive)
      throws BootException, InterruptedException {
    try {
      Path cache = Files.createTempDirectory("carom");
      Map<String, String> properties = home.frameworkProperties();
      properties.put(Constants.FRAMEWORK_STORAGE, cache.toString());
      properties.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, String.valueOf(SERVICES));
      Framework framework =
          ServiceLoader.load(FrameworkFactory.class)
              .findFirst()
              .orElseThrow()
              .newFramework(properties);
      Container container = new Container(home, console, cache, framework);
      Runtime.getRuntime().addShutdownHook(new Thread(container::close, "carom-shutdown"));
      container.start(interactive ? SHELL : BUNDLES);
      return container;
    } catch (IOException | BundleException e) {
      throw new BootException(Failure.message(Failure.root(e)));
    }
  }

  BundleContext context() {
    return framework.getBundleContext();
  }

  /** Starts what was held back until now: the interactive shell, which stops the framework. */
  void runShell() throws BootException, InterruptedException {
    changeLevel(SHELL);
    framework.waitForStop(0);
  }

  @Override
  public void close() {
    try {
      framework.stop();
      framework.waitForStop(STOP_MILLIS);
    } catch (BundleException e) {
      // the process ends anyway
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      Trees.delete(cache);
    }
  }

  private void start(int highest)
      throws BootException, BundleException, IOException, InterruptedException {
    framework.init();
    context().addFrameworkListener(this::tell);
    for (Map.Entry<Integer, List<Path>> level : home.bundles().headMap(highest + 1).entrySet()) {
      for (Path jar : level.getValue()) {
        install(jar, level.getKey());
      }
    }
    framework.start();
    failOnMissing(SERVICES);
    Readiness readiness = new Readiness(context());
    readiness.awaitConfigurations(home.initialConfiguration());
    changeLevel(BUNDLES);
    readiness.awaitCommands();
    booted = true;
  }

  private void install(Path jar, int level) throws BundleException {
    Bundle bundle = context().installBundle("reference:" + jar.toUri());
    bundle.adapt(BundleStartLevel.class).setStartLevel(level);
    if (!isFragment(bundle)) {
      bundle.start(Bundle.START_ACTIVATION_POLICY);
    }
  }

  private void changeLevel(int level) throws BootException, InterruptedException {
    CountDownLatch reached = new CountDownLatch(1);
    framework
        .adapt(FrameworkStartLevel.class)
        .setStartLevel(
            level,
            event -> {
              if (event.getType() == FrameworkEvent.STARTLEVEL_CHANGED) {
                reached.countDown();
              }
            });
    if (!reached.await(LEVEL_SECONDS, TimeUnit.SECONDS)) {
      throw new BootException("start level " + level + " was not reached");
    }
    failOnMissing(level);
  }

  /** Tells errors while the container runs; those of its start end the start. */
  private void tell(FrameworkEvent event) {
    Throwable thrown = event.getThrowable();
    if (booted && event.getType() == FrameworkEvent.ERROR && thrown != null) {
      String name = event.getBundle().getSymbolicName();
      console.complain("bundle " + name + ": " + Failure.message(Failure.root(thrown)));
    }
  }

  private void failOnMissing(int level) throws BootException {
    for (Bundle bundle : context().getBundles()) {
      boolean due = bundle.adapt(BundleStartLevel.class).getStartLevel() <= level;
      boolean started = (bundle.getState() & (Bundle.ACTIVE | Bundle.STARTING)) != 0;
      if (due && !started && !isFragment(bundle)) {
        try {
          // the reason of the first failure is known to a listener only, and too late
          bundle.start(Bundle.START_ACTIVATION_POLICY);
        } catch (BundleException e) {
          throw new BootException(
              "bundle "
                  + bundle.getSymbolicName()
                  + " did not start: "
                  + Failure.message(Failure.root(e)));
        }
      }
    }
  }

  private static boolean isFragment(Bundle bundle) {
    return bundle.getHeaders().get(Constants.FRAGMENT_HOST) != null;
  }
}
