package io.carom.swiotlb;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Finds properties of a configuration that its component does not know. */
final class ConfigKeys {
  /** What the framework, ConfigAdmin, DS and those who write configurations add. */
  private static final List<String> FOREIGN =
      List.of("service.", "component.", "felix.", "osgi.", "io.carom.", "objectClass", ":", ".");

  private ConfigKeys() {}

  /**
   * Checks the names.
   *
   * @param config the component's configuration type, whose element names are the properties
   * @throws IllegalArgumentException when one is unknown; the message names it and the known ones
   */
  static void check(final Class<? extends Annotation> config, final Map<String, ?> properties) {
    final TreeSet<String> known = new TreeSet<>();
    for (final Method element : config.getDeclaredMethods()) {
      known.add(element.getName());
    }
    final List<String> unknown = new ArrayList<>();
    for (final String name : new TreeSet<>(properties.keySet())) {
      if (!known.contains(name) && FOREIGN.stream().noneMatch(name::startsWith)) {
        unknown.add(name);
      }
    }
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "unknown "
              + (unknown.size() == 1 ? "property " : "properties ")
              + String.join(", ", unknown)
              + "; valid: "
              + String.join(", ", known));
    }
  }
}
