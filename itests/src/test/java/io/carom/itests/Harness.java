package io.carom.itests;

import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.framework.startlevel.FrameworkStartLevel;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.util.tracker.ServiceTracker;

/**
 * The distribution in a framework of its own inside the test's JVM, for tests that stop, update or
 * refresh bundles. The classes of its bundles are others than those of the same names on the class
 * path, so tests talk to it through commands, as users do.
 */
final class Harness implements Commands, AutoCloseable {
  private static final String GOGO = "org.apache.felix.service.command.";
  private static final int SERVICES = 19;
  private static final int BUNDLES = 89;
  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(60);

  private final Path cache;
  private final Framework framework;

  private Harness(Path cache, Framework framework) {
    this.cache = cache;
    this.framework = framework;
  }

  /** Boots the distribution as it ships. */
  static Harness boot() throws Exception {
    return boot(Map.of());
  }

  /** Boots the distribution with some framework properties added or changed. */
  static Harness boot(Map<String, String> changes) throws Exception {
    Path cache = Files.createTempDirectory("harness");
    Map<String, String> properties = Dist.frameworkProperties();
    properties.put(Constants.FRAMEWORK_STORAGE, cache.toString());
    properties.put(Constants.FRAMEWORK_BEGINNING_STARTLEVEL, String.valueOf(SERVICES));
    properties.putAll(changes);
    Framework framework =
        ServiceLoader.load(FrameworkFactory.class)
            .findFirst()
            .orElseThrow()
            .newFramework(properties);
    Harness harness = new Harness(cache, framework);
    try {
      harness.start();
    } catch (Exception e) {
      harness.close();
      throw e;
    }
    return harness;
  }

  BundleContext context() {
    return framework.getBundleContext();
  }

  /** The bundle of that name, to stop, start or update it. */
  Bundle bundle(String symbolicName) {
    return Stream.of(context().getBundles())
        .filter(bundle -> symbolicName.equals(bundle.getSymbolicName()))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no bundle " + symbolicName));
  }

  /** Updates a bundle from a file and lets everything be wired to the new revision. */
  void update(String symbolicName, Path jar) throws Exception {
    Bundle bundle = bundle(symbolicName);
    try (InputStream in = Files.newInputStream(jar)) {
      bundle.update(in);
    }
    refresh(List.of(bundle));
  }

  /** Refreshes bundles and what is wired to them, and waits until that is done. */
  void refresh(Collection<Bundle> bundles) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    framework
        .adapt(FrameworkWiring.class)
        .refreshBundles(
            bundles,
            event -> {
              if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                done.countDown();
              }
            });
    if (!done.await(START.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("refresh of " + bundles + " does not end");
    }
  }

  /** Each other bundle with what changes when it is restarted, updated or refreshed. */
  Map<String, String> others(String changed) {
    Map<String, String> all = new TreeMap<>();
    for (Bundle bundle : context().getBundles()) {
      if (!changed.equals(bundle.getSymbolicName())) {
        all.put(
            String.valueOf(bundle.getSymbolicName()),
            bundle.getBundleId()
                + " in state "
                + bundle.getState()
                + " since "
                + bundle.getLastModified()
                + " in "
                // a restarted bundle has another context
                + System.identityHashCode(bundle.getBundleContext()));
      }
    }
    return all;
  }

  /** Changes some properties of a component's configuration; returns what it was, or null. */
  @SuppressWarnings("JdkObsolete") // Configuration Admin takes a Dictionary
  @Nullable Dictionary<String, Object> configure(String pid, Map<String, Object> changes)
      throws Exception {
    Object configuration = configuration(pid);
    Dictionary<String, Object> before = properties(configuration);
    Hashtable<String, Object> after = new Hashtable<>();
    if (before != null) {
      before.keys().asIterator().forEachRemaining(key -> after.put(key, before.get(key)));
    }
    after.putAll(changes);
    call(configuration.getClass().getMethod("update", Dictionary.class), configuration, after);
    return before;
  }

  /** Gives a component the configuration back that it had; null for none. */
  void restore(String pid, @Nullable Dictionary<String, Object> before) throws Exception {
    Object configuration = configuration(pid);
    if (before == null) {
      call(configuration.getClass().getMethod("delete"), configuration);
    } else {
      call(configuration.getClass().getMethod("update", Dictionary.class), configuration, before);
    }
  }

  private Object configuration(String pid) throws Exception {
    Object admin = service("org.osgi.service.cm.ConfigurationAdmin");
    Method get = admin.getClass().getMethod("getConfiguration", String.class, String.class);
    return Objects.requireNonNull(call(get, admin, pid, "?"));
  }

  @SuppressWarnings("unchecked") // what the API says
  private static @Nullable Dictionary<String, Object> properties(Object configuration)
      throws Exception {
    Method get = configuration.getClass().getMethod("getProperties");
    return (Dictionary<String, Object>) call(get, configuration);
  }

  /** Waits for a service that fits the filter. */
  void awaitService(String filter) throws InvalidSyntaxException, InterruptedException {
    ServiceTracker<Object, Object> tracker =
        new ServiceTracker<>(context(), context().createFilter(filter), null);
    tracker.open(true);
    try {
      if (tracker.waitForService(START.toMillis()) == null) {
        throw new IllegalStateException("no service " + filter);
      }
    } finally {
      tracker.close();
    }
  }

  @Override
  public String command(String line) throws Exception {
    Object processor = service(GOGO + "CommandProcessor");
    ClassLoader loader = processor.getClass().getClassLoader();
    Class<?> sessionType = Class.forName(GOGO + "CommandSession", true, loader);
    Method create =
        Class.forName(GOGO + "CommandProcessor", true, loader)
            .getMethod("createSession", InputStream.class, OutputStream.class, OutputStream.class);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Object session =
        Objects.requireNonNull(
            call(
                create,
                processor,
                new ByteArrayInputStream(new byte[0]),
                out,
                OutputStream.nullOutputStream()));
    try {
      Object result = call(sessionType.getMethod("execute", CharSequence.class), session, line);
      Method format = sessionType.getMethod("format", Object.class, int.class);
      String text = result == null ? "" : String.valueOf(call(format, session, result, 0));
      return out.toString(StandardCharsets.UTF_8) + text;
    } finally {
      call(sessionType.getMethod("close"), session);
    }
  }

  @Override
  public void close() throws BundleException, IOException {
    framework.stop();
    try {
      framework.waitForStop(STOP.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try (Stream<Path> files = Files.walk(cache)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private void start() throws Exception {
    framework.init();
    for (Map.Entry<Path, Integer> jar : Dist.bundles().entrySet()) {
      Bundle bundle = context().installBundle("reference:" + jar.getKey().toUri());
      bundle.adapt(BundleStartLevel.class).setStartLevel(jar.getValue());
      if (bundle.getHeaders().get(Constants.FRAGMENT_HOST) == null) {
        bundle.start(Bundle.START_ACTIVATION_POLICY);
      }
    }
    framework.start();
    awaitConfigurations();
    changeLevel(BUNDLES);
    awaitCommands();
  }

  /** Waits for what the Configurator writes on its own thread, as the launcher does. */
  private void awaitConfigurations() throws Exception {
    String json = Files.readString(Dist.HOME.resolve("conf/carom.json"));
    Set<String> missing = new HashSet<>(JsonParser.parseString(json).getAsJsonObject().keySet());
    missing.removeIf(key -> key.startsWith(":"));
    Object admin = service("org.osgi.service.cm.ConfigurationAdmin");
    Method list = admin.getClass().getMethod("listConfigurations", String.class);
    for (int i = 0; !missing.isEmpty(); i++) {
      if (i > START.toMillis()) {
        throw new IllegalStateException("not configured: " + missing);
      }
      Object[] configurations = (Object[]) call(list, admin, (Object) null);
      if (configurations != null) {
        for (Object configuration : configurations) {
          missing.remove(call(configuration.getClass().getMethod("getPid"), configuration));
        }
      }
      TimeUnit.MILLISECONDS.sleep(1);
    }
  }

  private void changeLevel(int level) throws InterruptedException {
    CountDownLatch reached = new CountDownLatch(1);
    framework.adapt(FrameworkStartLevel.class).setStartLevel(level, event -> reached.countDown());
    if (!reached.await(START.toSeconds(), TimeUnit.SECONDS)) {
      throw new IllegalStateException("start level " + level + " is not reached");
    }
  }

  private void awaitCommands() throws Exception {
    for (Bundle bundle : context().getBundles()) {
      boolean components = bundle.getHeaders().get("Service-Component") != null;
      if (components && "io.carom.guest.shim".equals(bundle.getSymbolicName())) {
        awaitService("(objectClass=io.carom.guest.GuestKernel)");
      } else if (components && "io.carom.shell".equals(bundle.getSymbolicName())) {
        awaitService("(&(osgi.command.scope=carom)(osgi.command.function=*))");
      }
    }
  }

  private Object service(String name) throws InvalidSyntaxException {
    // all, because the class path of the tests may know another class of that name
    ServiceReference<?>[] references = context().getAllServiceReferences(name, null);
    ServiceReference<?> reference = references == null ? null : references[0];
    Object service = reference == null ? null : context().getService(reference);
    if (service == null) {
      throw new IllegalStateException("no service " + name);
    }
    return service;
  }

  private static @Nullable Object call(Method method, Object target, @Nullable Object... arguments)
      throws Exception {
    try {
      method.setAccessible(true);
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    }
  }
}
