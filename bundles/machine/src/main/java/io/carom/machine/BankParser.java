package io.carom.machine;

import io.carom.machine.platform.BusBank;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.List;

/** Reads the table of bus offsets, an entry {@code cpuStart:dmaStart:size} for each bank. */
final class BankParser {
  private static final int PARTS = 3;
  private static final long LIMIT = 1L << 48;

  private BankParser() {}

  /**
   * Reads and checks all of it.
   *
   * @param bit the encryption bit, 0 for none: no bank may be seen at or above it
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  static List<BusBank> parse(final String[] entries, final int bit) {
    final List<BusBank> banks = new ArrayList<>();
    for (final String entry : entries) {
      if (!entry.isBlank()) {
        banks.add(parse(entry.trim(), banks, bit));
      }
    }
    return List.copyOf(banks);
  }

  private static BusBank parse(final String entry, final List<BusBank> others, final int bit) {
    final String[] parts = entry.split(":", -1);
    if (parts.length != PARTS) {
      throw refused(entry, "not cpuStart:dmaStart:size, such as 0x0:0x40000000:0x8000000");
    }
    final BusBank bank =
        new BusBank(number(entry, parts[0]), number(entry, parts[1]), number(entry, parts[2]));
    if (bank.size() == 0) {
      throw refused(entry, "no bytes");
    }
    final long limit = bit == 0 ? LIMIT : 1L << bit;
    // All numbers are below 2^48: no sum overflows.
    if (bank.dmaStart() + bank.size() > limit) {
      throw refused(entry, "ends above bus address 0x" + Long.toHexString(limit));
    }
    final String taken = MachineSettings.taken(bank.dmaStart(), bank.size());
    if (!taken.isEmpty()) {
      throw refused(entry, taken);
    }
    for (final BusBank other : others) {
      if (overlap(bank.cpuStart(), bank.size(), other.cpuStart(), other.size())
          || overlap(bank.dmaStart(), bank.size(), other.dmaStart(), other.size())) {
        throw refused(entry, "overlaps another bank");
      }
    }
    return bank;
  }

  private static boolean overlap(
      final long a, final long aSize, final long b, final long bSize) {
    return a < b + bSize && b < a + aSize;
  }

  private static long number(final String entry, final String part) {
    final long value;
    try {
      value = Long.decode(part.trim());
    } catch (final NumberFormatException e) {
      throw new IllegalArgumentException(
          Machine.PID + ": busBanks=" + entry + ": " + part + " is not a number", e);
    }
    if (value < 0 || value >= LIMIT || value % PhysicalLayout.PAGE_SIZE != 0) {
      throw refused(
          entry, part + " is not a multiple of " + PhysicalLayout.PAGE_SIZE + " below 2^48");
    }
    return value;
  }

  private static IllegalArgumentException refused(final String entry, final String rule) {
    return new IllegalArgumentException(
        Machine.PID + ": busBanks=" + entry + ": " + rule);
  }
}
