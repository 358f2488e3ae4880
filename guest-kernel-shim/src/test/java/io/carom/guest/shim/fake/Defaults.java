package io.carom.guest.shim.fake;

import java.lang.reflect.Proxy;
import java.util.Map;

/** Configurations of components as a container makes them: defaults where nothing is said. */
public final class Defaults {
  private Defaults() {}

  /** A configuration with some properties set. */
  public static <C> C of(final Class<C> type, final Map<String, Object> set) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) ->
                set.getOrDefault(method.getName(), method.getDefaultValue())));
  }
}
