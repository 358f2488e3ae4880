package io.carom.virtio.device.host;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads a component's properties, whatever types the configuration has them in. What is wrong is
 * one line that names the property, its value and the rule.
 */
public final class Properties {
  private final Map<String, Object> values;

  /** Of a component, as Declarative Services gives them to it. */
  public Properties(final Map<String, Object> values) {
    this.values = Map.copyOf(values);
  }

  private @Nullable String value(final String key) {
    final Object value = values.get(key);
    final String text = value == null ? "" : value.toString().trim();
    return text.isEmpty() ? null : text;
  }

  /** A text, or null when it is not set or empty. */
  public @Nullable String text(final String key) {
    return value(key);
  }

  /** A whole number in a range. */
  public long number(final String key, final long unset, final long least, final long most) {
    final String text = value(key);
    if (text == null) {
      return unset;
    }
    final long number;
    try {
      number = Long.decode(text);
    } catch (final NumberFormatException e) {
      throw new IllegalArgumentException(key + "=" + text + " is not a number", e);
    }
    if (number < least || number > most) {
      throw new IllegalArgumentException(key + "=" + text + " is not in " + least + ".." + most);
    }
    return number;
  }

  /** A whole number that fits an int. */
  public int number(final String key, final int unset, final int least, final int most) {
    return (int) number(key, (long) unset, least, most);
  }

  /** Yes or no. */
  public boolean flag(final String key, final boolean unset) {
    final String text = value(key);
    if (text == null || text.equalsIgnoreCase(Boolean.toString(unset))) {
      return unset;
    }
    if (!text.equalsIgnoreCase(Boolean.toString(!unset))) {
      throw new IllegalArgumentException(key + "=" + text + " is neither true nor false");
    }
    return !unset;
  }

  /** One of the words of an enumeration, in any case, with {@code -} for {@code _}. */
  public <E extends Enum<E>> E word(final String key, final E unset) {
    final String text = value(key);
    return text == null ? unset : word(key, text, unset.getDeclaringClass());
  }

  /** As {@link #word(String, Enum)}, of a text. */
  static <E extends Enum<E>> E word(final String key, final String text, final Class<E> type) {
    for (final E constant : type.getEnumConstants()) {
      if (word(constant).equalsIgnoreCase(text)) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        key
            + "="
            + text
            + " is unknown: use one of "
            + Arrays.stream(type.getEnumConstants())
                .map(Properties::word)
                .collect(Collectors.joining(", ")));
  }

  /** How a constant is written in properties. */
  public static String word(final Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
