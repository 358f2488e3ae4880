package io.carom.virtio.device.net;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Pattern;

/** Ethernet addresses as numbers: the first byte in bits 40..47, the last in 0..7. */
public final class MacAddress {
  /** All stations. */
  static final long BROADCAST = 0xffff_ffff_ffffL;

  private static final long GROUP = 1L << 40;
  private static final long LOCAL = 2L << 40;
  private static final int BYTES = 6;
  private static final Pattern TEXT = Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}");

  private MacAddress() {}

  /** Whether it names a group of stations. */
  static boolean isGroup(final long mac) {
    return (mac & GROUP) != 0;
  }

  /**
   * The address of a device that was given none: locally administered, and made of its name, so
   * that it is the same after a restart.
   */
  public static long of(final String name) {
    // FNV-1a, which mixes names that differ in their last letter well
    long hash = 0xcbf29ce484222325L;
    for (final byte b : name.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    return ((hash ^ hash >>> 40) & 0x00ff_ffff_ffffL) | LOCAL;
  }

  /**
   * Reads an address.
   *
   * @throws IllegalArgumentException with one line, when it is none, or not one of a station
   */
  public static long parse(final String text) {
    if (!TEXT.matcher(text).matches()) {
      throw new IllegalArgumentException(
          "mac=" + text + " is not an Ethernet address such as 02:ca:00:00:00:01");
    }
    final long mac = Long.parseLong(text.replace(":", ""), 16);
    if (isGroup(mac) || mac == 0) {
      throw new IllegalArgumentException(
          "mac=" + text + " is not the address of one station: use one such as 02:ca:00:00:00:01");
    }
    return mac;
  }

  /** The address as text. */
  public static String text(final long mac) {
    final StringBuilder text = new StringBuilder();
    for (int i = BYTES - 1; i >= 0; i--) {
      text.append(String.format(Locale.ROOT, i == 0 ? "%02x" : "%02x:", mac >>> (8 * i) & 0xff));
    }
    return text.toString();
  }

  /** The address as it is on the wire. */
  static byte[] bytes(final long mac) {
    final byte[] bytes = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      bytes[i] = (byte) (mac >>> (8 * (BYTES - 1 - i)));
    }
    return bytes;
  }
}
