package io.carom.guest.shim.net;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An IPv4 address of an interface.
 *
 * @param address the address, first byte in bits 24..31
 * @param prefix bits of the network, 1..30
 */
record Ipv4Address(int address, int prefix) {
  private static final Pattern TEXT =
      Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
  private static final int LINK_LOCAL = 169 << 24 | 254 << 16;
  private static final int LINK_LOCAL_PREFIX = 16;
  private static final int MOST_PREFIX = 30;
  private static final int LOOPBACK = 127;
  private static final int FIRST_MULTICAST = 224;

  /**
   * The address of an interface that was given none (RFC 3927): made of its station's address, and
   * never one of the first or last 256, which are reserved.
   *
   * @param attempt counts those that were taken
   */
  static Ipv4Address linkLocal(final long mac, final int attempt) {
    final int host = (int) ((((mac * 0x9e3779b97f4a7c15L) >>> 40) + attempt) & 0x7fff_ffff);
    return new Ipv4Address(LINK_LOCAL | (0x100 + host % 0xfe00), LINK_LOCAL_PREFIX);
  }

  /** Reads an address without prefix; null when it is none. */
  static @Nullable Integer host(final String text) {
    final Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      return null;
    }
    int value = 0;
    for (int i = 1; i <= Integer.BYTES; i++) {
      final int part = Integer.parseInt(matcher.group(i));
      if (part > 255) {
        return null;
      }
      value = value << 8 | part;
    }
    return value;
  }

  /**
   * Reads an address with prefix.
   *
   * @throws IllegalArgumentException with one line
   */
  static Ipv4Address parse(final String text) {
    final int slash = text.indexOf('/');
    final Integer host = slash < 0 ? null : host(text.substring(0, slash));
    if (host == null || !text.substring(slash + 1).matches("\\d{1,2}")) {
      throw new IllegalArgumentException(
          "address " + text + " is no IPv4 address with prefix, such as 10.0.0.1/24");
    }
    final int prefix = Integer.parseInt(text.substring(slash + 1));
    if (prefix < 1 || prefix > MOST_PREFIX) {
      throw new IllegalArgumentException(
          "address " + text + ": its prefix is not in 1.." + MOST_PREFIX);
    }
    final int hostMask = -1 >>> prefix;
    final int first = host >>> 24;
    if ((host & hostMask) == 0
        || (host & hostMask) == hostMask
        || first == 0
        || first == LOOPBACK
        || first >= FIRST_MULTICAST) {
      throw new IllegalArgumentException(
          "address " + text + " is not the address of one host in its network");
    }
    return new Ipv4Address(host, prefix);
  }

  /** Whether another host is on the same network. */
  boolean reaches(final int other) {
    return ((address ^ other) & ~(-1 >>> prefix)) == 0;
  }

  static String text(final int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 0xff)
        + "."
        + (address >>> 8 & 0xff)
        + "."
        + (address & 0xff);
  }

  @Override
  public String toString() {
    return text(address) + "/" + prefix;
  }
}
