package io.carom.dma.core.swap;

import io.carom.dma.spi.Extent;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the kernel's syntax of {@code swiotlb=}: {@code [<slots>][,<areas>][,<option>]...}, where
 * each part may be left out. Numbers have the base that their prefix says ({@code 0x}, {@code 0}).
 * Slots are rounded up to whole sets, areas to a power of two, and slots again to one set for each
 * area. Unlike the kernel's, options are matched whole, and what is wrong is refused.
 */
public final class SwiotlbParser {
  /** The property. */
  public static final String PROPERTY = "swiotlb";

  private static final Pattern NUMBER =
      Pattern.compile("0[xX](?<hex>[0-9a-fA-F]+)|0(?<octal>[0-7]+)|(?<decimal>0|[1-9][0-9]*)");
  private static final int MOST_DIGITS = 15; // of any base: fits a long

  private SwiotlbParser() {}

  /**
   * Reads a value; an empty one asks for nothing.
   *
   * @throws IllegalArgumentException when it is wrong: one line that names value, rule and property
   */
  public static SwiotlbParameter parse(final String value) {
    if (value.isBlank()) {
      return SwiotlbParameter.NONE;
    }
    final String[] parts = value.strip().split(",", -1);
    long slots = 0;
    long areas = 0;
    int next = 0;
    if (isNumber(parts[0])) {
      slots = number(value, "slots", parts[next++], SwiotlbParameter.MOST_SLOTS);
    } else if (parts[0].isEmpty() && parts.length > 1 && isNumber(parts[1])) {
      next++; // no slots, but areas
    }
    if (next == 1 && next < parts.length && isNumber(parts[next])) {
      areas = number(value, "areas", parts[next++], SwiotlbParameter.MOST_AREAS);
    }
    final Set<String> options = new TreeSet<>();
    for (; next < parts.length; next++) {
      options.add(option(value, parts[next]));
    }
    if (options.contains("noforce") && options.size() > 1) {
      throw wrong(value, "noforce leaves no pool, so it excludes " + options.iterator().next());
    }
    return rounded(slots, areas, options);
  }

  private static SwiotlbParameter rounded(
      final long slots, final long areas, final Set<String> options) {
    final int power = areas <= 1 ? (int) areas : Integer.highestOneBit((int) areas - 1) << 1;
    final long whole = (slots + Extent.SET_SLOTS - 1) / Extent.SET_SLOTS * Extent.SET_SLOTS;
    return new SwiotlbParameter(
        slots == 0 ? 0 : Math.max(whole, (long) power * Extent.SET_SLOTS),
        power,
        options.contains("force"),
        options.contains("noforce"),
        options.contains("dynamic"));
  }

  private static boolean isNumber(final String part) {
    return !part.isEmpty() && part.charAt(0) >= '0' && part.charAt(0) <= '9';
  }

  private static long number(
      final String value, final String what, final String part, final long most) {
    final Matcher m = NUMBER.matcher(part);
    if (!m.matches()) {
      throw invalid(value, part);
    }
    final String hex = m.group("hex");
    final String octal = m.group("octal");
    final String digits = hex != null ? hex : octal != null ? octal : m.group("decimal");
    final int base = hex != null ? 16 : octal != null ? 8 : 10;
    if (digits.length() > MOST_DIGITS || Long.parseLong(digits, base) > most) {
      throw wrong(value, what + "=" + part + " is not in 0.." + most);
    }
    return Long.parseLong(digits, base);
  }

  private static String option(final String value, final String part) {
    return switch (part) {
      case "force", "noforce", "dynamic" -> part;
      default -> throw invalid(value, part);
    };
  }

  private static IllegalArgumentException invalid(final String value, final String part) {
    return wrong(
        value,
        "Invalid swiotlb option: "
            + part
            + "; valid: <slots>[,<areas>][,force|noforce|dynamic], each may be left out");
  }

  private static IllegalArgumentException wrong(final String value, final String rule) {
    return new IllegalArgumentException(PROPERTY + "=" + value + ": " + rule);
  }
}
