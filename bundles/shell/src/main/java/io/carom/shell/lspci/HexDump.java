package io.carom.shell.lspci;

import java.util.Locale;

/** Dumps config space as {@code lspci -x} does. */
final class HexDump {
  private static final int HEADER_BYTES = 64;
  private static final int PER_LINE = 16;

  private HexDump() {}

  /** The first 64 bytes, which every function has. */
  static String header(final byte[] config) {
    final StringBuilder out = new StringBuilder();
    for (int line = 0; line < Math.min(HEADER_BYTES, config.length); line += PER_LINE) {
      out.append(String.format(Locale.ROOT, "%02x:", line));
      for (int i = line; i < line + PER_LINE; i++) {
        out.append(String.format(Locale.ROOT, " %02x", config[i] & 0xff));
      }
      out.append('\n');
    }
    return out.toString();
  }
}
