package io.carom.shell.command;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Options of which those count that were given: each sets a property of a device's configuration.
 * What is not given keeps the configuration's own default, and is not checked here: the host names
 * the value and the rule.
 */
abstract class GivenOptions {
  private final Map<String, Object> properties = new LinkedHashMap<>();
  private @Nullable String first;

  /** An option was given. */
  final void given(final String option, final String property, final Object value) {
    properties.put(property, value);
    if (first == null) {
      first = option;
    }
  }

  /** The properties that were given. */
  final Map<String, Object> properties() {
    return properties;
  }

  /** The first option that was given, or null. */
  final @Nullable String first() {
    return first;
  }
}
