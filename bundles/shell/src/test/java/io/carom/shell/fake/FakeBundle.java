package io.carom.shell.fake;

import java.lang.reflect.Proxy;
import java.util.List;
import org.osgi.framework.Bundle;

/** A bundle that notes that it was stopped and started. */
final class FakeBundle {
  private FakeBundle() {}

  static Bundle of(final String name, final List<String> calls) {
    return (Bundle)
        Proxy.newProxyInstance(
            Bundle.class.getClassLoader(),
            new Class<?>[] {Bundle.class},
            (proxy, method, arguments) -> {
              calls.add(method.getName() + " " + name);
              return null;
            });
  }
}
