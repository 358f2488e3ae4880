package io.carom.shell.text;

import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Single values as people read them. */
public final class Values {
  private static final String NONE = "-";
  private static final String UNITS = "KMGT";

  private Values() {}

  /** A cell: nothing is a dash, fractions have one or two decimals. */
  public static String text(final @Nullable Object value) {
    return switch (value) {
      case null -> NONE;
      case final Double number -> decimal(number);
      case final Collection<?> all ->
          all.isEmpty() ? NONE : all.stream().map(String::valueOf).collect(Collectors.joining(","));
      case final Enum<?> word -> word.toString().toLowerCase(Locale.ROOT);
      case final Boolean yes -> yes ? "yes" : "no";
      default -> value.toString().isEmpty() ? NONE : value.toString();
    };
  }

  /** Bytes with the largest unit that divides them, or with one decimal when large. */
  public static String bytes(final long bytes) {
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit + 1 < UNITS.length()) {
      value /= 1024;
      unit++;
    }
    final String number =
        value == Math.rint(value)
            ? String.valueOf((long) value)
            : String.format(Locale.ROOT, "%.1f", value);
    return unit < 0 ? number + " B" : number + " " + UNITS.charAt(unit) + "iB";
  }

  private static String decimal(final double value) {
    if (!Double.isFinite(value)) {
      return NONE;
    }
    return String.format(Locale.ROOT, Math.abs(value) < 10 ? "%.2f" : "%.1f", value);
  }
}
