package io.carom.virtio.device.state;

import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The lines {@code key=value} of a saved state, each taken once. The number of bytes was bounded
 * before, and with it everything here.
 */
final class StateLines {
  private static final int SHOWN = 40;
  private static final Pattern DECIMAL = Pattern.compile("[0-9]{1,9}");
  private static final Pattern HEX = Pattern.compile("0x[0-9a-f]{1,16}");
  private static final int HEX_PREFIX = 2;
  private static final int HEX_RADIX = 16;

  private final int version;
  private final Map<String, String> values = new LinkedHashMap<>();

  private StateLines(final int version) {
    this.version = version;
  }

  /** Takes text apart. */
  static StateLines parse(final byte[] bytes, final String format, final int newest) {
    final String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (final CharacterCodingException e) {
      throw wrong("it is no text in UTF-8");
    }
    final int end = text.indexOf('\n');
    if (end < 0 || !text.startsWith(format)) {
      throw wrong("its first line is not '" + format + "' and a version");
    }
    final String number = text.substring(format.length(), end);
    if (!DECIMAL.matcher(number).matches() || Integer.parseInt(number) < 1) {
      throw wrong("its version '" + shown(number) + "' is none");
    }
    final int version = Integer.parseInt(number);
    if (version > newest) {
      throw wrong("it is of version " + version + ", and this code reads up to " + newest);
    }
    final StateLines lines = new StateLines(version);
    for (int from = end + 1; from < text.length(); ) {
      final int to = text.indexOf('\n', from);
      if (to < 0) {
        throw wrong("its last line has no end: '" + shown(text.substring(from)) + "'");
      }
      lines.add(text.substring(from, to));
      from = to + 1;
    }
    return lines;
  }

  private void add(final String line) {
    final int equals = line.indexOf('=');
    if (equals < 1) {
      throw wrong("'" + shown(line) + "' is no key=value");
    }
    final String key = line.substring(0, equals);
    if (values.putIfAbsent(key, line.substring(equals + 1)) != null) {
      throw wrong("'" + shown(key) + "' is given twice");
    }
  }

  int version() {
    return version;
  }

  /** A number that must be there, 0 to a limit. */
  int required(final String key, final int most) {
    if (!values.containsKey(key)) {
      throw wrong("'" + key + "' is missing");
    }
    return number(key, 0, most);
  }

  /** A number, 0 to a limit, or what stands for one that is missing. */
  int number(final String key, final int missing, final int most) {
    final String value = values.remove(key);
    if (value == null) {
      return missing;
    }
    final long number = parse(key, value);
    if (number < 0 || number > most) { // one of 64 bits may be negative here
      throw wrong(key + "=" + shown(value) + " is not in 0.." + most);
    }
    return (int) number;
  }

  /** Numbers with commas between, each 0 to a limit; none when they are missing. */
  List<Integer> numbers(final String key, final int mostNumbers, final int most) {
    final String value = values.remove(key);
    if (value == null) {
      return List.of();
    }
    final String[] parts = value.split(",", mostNumbers + 1);
    if (parts.length > mostNumbers) {
      throw wrong(key + " has more than " + mostNumbers + " numbers");
    }
    final List<Integer> numbers = new ArrayList<>();
    for (final String part : parts) {
      final long number = parse(key, part);
      if (number < 0 || number > most) {
        throw wrong(key + "=" + shown(part) + " is not in 0.." + most);
      }
      numbers.add((int) number);
    }
    return numbers;
  }

  /** A word of 64 bits; 0 when it is missing. */
  long word(final String key) {
    final String value = values.remove(key);
    return value == null ? 0 : parse(key, value);
  }

  /** A word of 32 bits; 0 when it is missing. */
  int word32(final String key) {
    final @Nullable String value = values.get(key);
    final long word = word(key);
    if (word >>> Integer.SIZE != 0) {
      throw wrong(key + "=" + shown(String.valueOf(value)) + " has more than 32 bits");
    }
    return (int) word;
  }

  private static long parse(final String key, final String value) {
    if (DECIMAL.matcher(value).matches()) {
      return Long.parseLong(value);
    }
    if (HEX.matcher(value).matches()) {
      return Long.parseUnsignedLong(value.substring(HEX_PREFIX), HEX_RADIX);
    }
    throw wrong(key + "=" + shown(value) + " is no number");
  }

  /** Bytes in hexadecimal; none when they are missing. */
  byte[] hexBytes(final String key, final int most) {
    final String value = values.remove(key);
    if (value == null) {
      return new byte[0];
    }
    if (value.length() > 2 * most) {
      throw wrong(key + " has more than " + most + " bytes");
    }
    try {
      return HexFormat.of().parseHex(value);
    } catch (final IllegalArgumentException e) {
      throw wrong(key + "=" + shown(value) + " are no bytes in hexadecimal");
    }
  }

  /** All values whose keys have a prefix, keys and values decoded, the prefix taken off. */
  Map<String, String> take(final String prefix, final int most) {
    final Map<String, String> taken = new TreeMap<>();
    for (final var entries = values.entrySet().iterator(); entries.hasNext(); ) {
      final Map.Entry<String, String> entry = entries.next();
      if (!entry.getKey().startsWith(prefix)) {
        continue;
      }
      if (taken.size() == most) {
        throw wrong("there are more than " + most + " values '" + prefix + "'");
      }
      final String key = decode(entry.getKey().substring(prefix.length()));
      if (taken.put(key, decode(entry.getValue())) != null) {
        throw wrong("'" + prefix + shown(key) + "' is given twice");
      }
      entries.remove();
    }
    return taken;
  }

  private static String decode(final String value) {
    try {
      return URLDecoder.decode(value, StandardCharsets.UTF_8);
    } catch (final IllegalArgumentException e) {
      throw wrong("'" + shown(value) + "' has a bad escape");
    }
  }

  /** Refuses what was not taken. */
  void nothingIsLeft() {
    if (!values.isEmpty()) {
      throw wrong("'" + shown(values.keySet().iterator().next()) + "' is unknown");
    }
  }

  static IllegalArgumentException wrong(final String why) {
    return new IllegalArgumentException("this is no saved state of a virtio device: " + why);
  }

  /** The beginning of a text that anyone may have written, for a message of one line. */
  private static String shown(final String text) {
    final StringBuilder clean = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), SHOWN); i++) {
      final char c = text.charAt(i);
      clean.append(c >= ' ' && c <= '~' ? c : '?');
    }
    return text.length() > SHOWN ? clean.append("...").toString() : clean.toString();
  }
}
