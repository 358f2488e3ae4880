package io.carom.dma.core.memory;

import io.carom.dma.spi.Extent;
import io.carom.pci.PciAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the property {@code restrictedPools}: for each pool one text {@code name=NAME size=SIZE
 * [coherent=SIZE] devices=BDF[,BDF...]}. Sizes are bytes, or with {@code k}, {@code m} or {@code g}
 * behind the number, and multiples of 256 KiB.
 */
public final class RestrictedParser {
  /** The property. */
  public static final String PROPERTY = "restrictedPools";

  private static final String FORM = "name=NAME size=SIZE [coherent=SIZE] devices=BDF[,BDF...]";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,32}");
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([kKmMgG]?)");
  private static final long MOST_BYTES = 2L << 30;
  private static final int COHERENT_SHARE = 8;

  private final Map<String, String> poolOfDevice = new HashMap<>();
  private final Set<String> names = new LinkedHashSet<>();
  private String text = "";

  private RestrictedParser() {}

  /**
   * Reads all pools; blank texts are left out.
   *
   * @throws IllegalArgumentException when one is wrong, or two contradict each other: one line that
   *     names value, rule and property
   */
  public static List<RestrictedSpec> parse(final String... texts) {
    final RestrictedParser parser = new RestrictedParser();
    final List<RestrictedSpec> result = new ArrayList<>();
    for (final String each : texts) {
      if (!each.isBlank()) {
        result.add(parser.pool(each.strip()));
      }
    }
    return List.copyOf(result);
  }

  private RestrictedSpec pool(final String each) {
    text = each;
    final Map<String, String> values = values();
    final String name = required(values, "name");
    if (!NAME.matcher(name).matches()) {
      throw wrong("name=" + name + " is not 1 to 32 letters, digits, '-' and '_'");
    }
    if (!names.add(name)) {
      throw wrong("name=" + name + " is taken by another pool; choose another name");
    }
    final long bytes = size("size", required(values, "size"), Extent.SET_SIZE);
    final long coherent = coherent(bytes, values.get("coherent"));
    if (bytes - coherent < Extent.SET_SIZE) {
      throw wrong(
          "coherent="
              + coherent
              + " leaves no slot set of 256k of size="
              + bytes
              + "; raise size or lower coherent");
    }
    return new RestrictedSpec(name, bytes, coherent, devices(name, required(values, "devices")));
  }

  private Map<String, String> values() {
    final Map<String, String> values = new HashMap<>();
    for (final String token : text.split("\\s+")) {
      final int equals = token.indexOf('=');
      final String key = equals < 0 ? token : token.substring(0, equals);
      switch (key) {
        case "name", "size", "coherent", "devices" -> {
          if (equals < 0 || values.put(key, token.substring(equals + 1)) != null) {
            throw wrong("give " + key + "= once, as in " + FORM);
          }
        }
        default -> throw wrong("unknown '" + token + "'; valid: " + FORM);
      }
    }
    return values;
  }

  private String required(final Map<String, String> values, final String key) {
    final String value = values.get(key);
    if (value == null || value.isEmpty()) {
      throw wrong(key + "= is missing; valid: " + FORM);
    }
    return value;
  }

  /** What is given, or an eighth in whole slot sets, one at least. */
  private long coherent(final long bytes, final @Nullable String given) {
    if (given != null) {
      return size("coherent", given, 0);
    }
    final long sets = (bytes / COHERENT_SHARE + Extent.SET_SIZE - 1) / Extent.SET_SIZE;
    return sets * Extent.SET_SIZE;
  }

  private long size(final String key, final String value, final long least) {
    final Matcher m = SIZE.matcher(value);
    if (!m.matches()) {
      throw wrong(key + "=" + value + " is not a size such as 8m (k, m and g are 1024)");
    }
    final int shift =
        switch (m.group(2)) {
          case "k", "K" -> 10;
          case "m", "M" -> 20;
          case "g", "G" -> 30;
          default -> 0;
        };
    final long number = Long.parseLong(m.group(1)); // below 2^40
    if (number > MOST_BYTES >> shift || number << shift < least) {
      throw wrong(key + "=" + value + " is not in " + (least >> 10) + "k..2g");
    }
    if ((number << shift) % Extent.SET_SIZE != 0) {
      throw wrong(key + "=" + value + " is not a multiple of 256k, a slot set");
    }
    return number << shift;
  }

  private List<String> devices(final String name, final String value) {
    final List<String> devices = new ArrayList<>();
    for (final String each : value.split(",", -1)) {
      final String device;
      try {
        device = PciAddress.parse(each).withDomain();
      } catch (final IllegalArgumentException e) {
        throw wrong("devices: " + e.getMessage());
      }
      final String other = poolOfDevice.put(device, name);
      if (other != null) {
        throw wrong(
            "device "
                + device
                + (other.equals(name) ? " is named twice" : " is bound to pool " + other + " too")
                + "; name it once");
      }
      devices.add(device);
    }
    return devices;
  }

  private IllegalArgumentException wrong(final String rule) {
    return new IllegalArgumentException(PROPERTY + " '" + text + "': " + rule);
  }
}
