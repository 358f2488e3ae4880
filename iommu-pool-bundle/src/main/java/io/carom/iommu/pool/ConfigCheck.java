package io.carom.iommu.pool;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Tells wrong configuration in one line: properties that a component does not know, and values that
 * are of no use for the type they should have.
 */
final class ConfigCheck {
  /** What the framework, ConfigAdmin and tools add to each configuration. */
  private static final String[] FOREIGN = {
    ".", ":", "component.", "service.", "felix.", "osgi.", "objectClass", "io.carom.dma.strategy"
  };

  private final Map<String, Object> properties;

  private ConfigCheck(final Map<String, Object> properties) {
    this.properties = properties;
  }

  /**
   * Checks the names.
   *
   * @param config the component's configuration type, whose methods are what it knows
   * @throws IllegalArgumentException for an unknown one
   */
  static ConfigCheck names(final Map<String, Object> properties, final Class<?> config) {
    final TreeSet<String> known = new TreeSet<>();
    for (final Method method : config.getDeclaredMethods()) {
      known.add(method.getName());
    }
    for (final String name : new TreeSet<>(properties.keySet())) {
      if (!known.contains(name) && !foreign(name)) {
        throw new IllegalArgumentException(
            "unknown property '" + name + "'; valid: " + String.join(", ", known));
      }
    }
    return new ConfigCheck(properties);
  }

  private static boolean foreign(final String name) {
    for (final String prefix : FOREIGN) {
      if (name.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Reads a property.
   *
   * @param value how to read it from the configuration
   * @throws IllegalArgumentException when it cannot be made one of its type
   */
  <T> T value(final String name, final Supplier<T> value) {
    try {
      return value.get();
    } catch (final RuntimeException e) {
      throw new IllegalArgumentException(
          name + "='" + properties.get(name) + "' is not of the property's type", e);
    }
  }
}
