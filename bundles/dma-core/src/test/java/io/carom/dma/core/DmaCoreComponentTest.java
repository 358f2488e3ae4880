package io.carom.dma.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;

/** The core's life as a component. */
class DmaCoreComponentTest {
  /** A framework that has taken the services back by itself, as it does with a stopped bundle. */
  private static BundleContext gone() {
    final ServiceRegistration<?> registration =
        (ServiceRegistration<?>)
            Proxy.newProxyInstance(
                ServiceRegistration.class.getClassLoader(),
                new Class<?>[] {ServiceRegistration.class},
                (proxy, method, args) -> {
                  throw new IllegalStateException("Service already unregistered.");
                });
    return (BundleContext)
        Proxy.newProxyInstance(
            BundleContext.class.getClassLoader(),
            new Class<?>[] {BundleContext.class},
            (proxy, method, args) -> registration);
  }

  private static Set<Thread> threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("dma-"))
        .collect(Collectors.toCollection(HashSet::new));
  }

  @Test
  @DisplayName("its threads end, also when its services were taken back by the framework")
  void stopsBehindTheFramework() {
    final TestGuest guest = TestGuest.plain();
    final Set<Thread> before = threads();
    final DmaCoreComponent component =
        new DmaCoreComponent(gone(), ConfigReaderTest.config(Map.of()), Map.of(), guest, guest);
    final Set<Thread> own = threads();
    own.removeAll(before);
    assertThat(own).isNotEmpty();
    component.deactivate();
    CoreKit.await(() -> own.stream().noneMatch(Thread::isAlive), "its threads have ended");
  }
}
