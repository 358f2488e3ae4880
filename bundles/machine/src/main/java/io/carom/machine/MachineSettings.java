package io.carom.machine;

import io.carom.machine.platform.BusBank;
import io.carom.machine.platform.PlatformSettings;
import io.carom.memory.PhysicalLayout;
import java.time.Duration;
import java.util.List;

/**
 * Checked settings of a machine.
 *
 * @param lowBytes bytes of RAM from 0
 * @param highBytes bytes of RAM from 4 GiB
 * @param confidential whether pages start private
 * @param platform what lies between CPUs and devices
 * @param quiesceTimeout how long a change waits for device accesses
 * @param iommuAbsence how long device accesses wait for an IOMMU that is away
 */
record MachineSettings(
    long lowBytes,
    long highBytes,
    boolean confidential,
    PlatformSettings platform,
    Duration quiesceTimeout,
    Duration iommuAbsence) {
  private static final int MIB_SHIFT = 20;
  private static final long MAX_LOW_MIB = PhysicalLayout.LOW_RAM_LIMIT >> MIB_SHIFT;
  private static final long MAX_HIGH_MIB =
      (PhysicalLayout.MMIO64_BASE - PhysicalLayout.HIGH_RAM_BASE) >> MIB_SHIFT;
  private static final long MAX_TIMEOUT_MS = Duration.ofMinutes(10).toMillis();

  /**
   * Checks a configuration.
   *
   * @throws IllegalArgumentException with one line that names the value, the rule and the knob
   */
  static MachineSettings of(final Machine.Config config) {
    final long low = within("lowRamMiB", config.lowRamMiB(), 1, MAX_LOW_MIB) << MIB_SHIFT;
    final long high = within("highRamMiB", config.highRamMiB(), 0, MAX_HIGH_MIB) << MIB_SHIFT;
    return new MachineSettings(
        low,
        high,
        config.confidential(),
        platform(config, low, high),
        Duration.ofMillis(within("quiesceTimeoutMs", config.quiesceTimeoutMs(), 1, MAX_TIMEOUT_MS)),
        Duration.ofMillis(within("iommuAbsentMs", config.iommuAbsentMs(), 0, MAX_TIMEOUT_MS)));
  }

  private static PlatformSettings platform(
      final Machine.Config config, final long low, final long high) {
    final int bit = bit(config.encryptionBit());
    final long offset = busOffset(config.busOffset(), low, high, bit);
    final List<BusBank> banks = BankParser.parse(config.busBanks(), bit);
    if (offset != 0 && !banks.isEmpty()) {
      throw new IllegalArgumentException(
          Machine.PID
              + ": busOffset="
              + config.busOffset()
              + " and busBanks are both set; a bank has its own offset, so set one of the two");
    }
    if (config.virtuallyIndexed() && !config.nonCoherent()) {
      throw new IllegalArgumentException(
          Machine.PID + ": virtuallyIndexed=true needs caches; set nonCoherent=true as well");
    }
    return new PlatformSettings(
        offset,
        banks,
        bit,
        config.nonCoherent(),
        config.virtuallyIndexed(),
        config.nonCoherent() ? perMille("refillPerMille", config.refillPerMille()) : 0,
        config.nonCoherent() ? perMille("evictPerMille", config.evictPerMille()) : 0,
        (int)
            within(
                "writeQueueLines", config.writeQueueLines(), 0, PlatformSettings.MOST_QUEUE_LINES),
        config.platformSeed());
  }

  private static int bit(final int bit) {
    return bit == 0
        ? 0
        : (int)
            within("encryptionBit", bit, PlatformSettings.LOWEST_BIT, PlatformSettings.HIGHEST_BIT);
  }

  private static int perMille(final String knob, final int value) {
    return (int) within(knob, value, 0, 1000);
  }

  private static long within(
      final String knob, final long value, final long least, final long most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          Machine.PID + ": " + knob + "=" + value + " is not in " + least + ".." + most);
    }
    return value;
  }

  private static long busOffset(final String text, final long low, final long high, final int bit) {
    final long offset = parse(text.trim());
    if (offset < 0 || offset >= 1L << 48 || offset % PhysicalLayout.PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          Machine.PID
              + ": busOffset="
              + text
              + " is not a multiple of "
              + PhysicalLayout.PAGE_SIZE
              + " below 2^48");
    }
    // Offset below 2^48 and RAM below 2^39: the sums below do not overflow.
    if (offset != 0) {
      checkImage(text, offset, low);
      checkImage(text, PhysicalLayout.HIGH_RAM_BASE + offset, high);
      if (bit != 0 && PhysicalLayout.HIGH_RAM_BASE + offset + high > 1L << bit) {
        throw new IllegalArgumentException(
            Machine.PID
                + ": encryptionBit="
                + bit
                + " lies in bus addresses of RAM with busOffset="
                + text
                + "; choose a higher bit or a smaller offset");
      }
    }
    return offset;
  }

  private static void checkImage(final String text, final long base, final long size) {
    final String taken = taken(base, size);
    if (!taken.isEmpty()) {
      throw new IllegalArgumentException(
          Machine.PID + ": busOffset=" + text + " " + taken + "; choose another offset");
    }
  }

  /**
   * Why RAM cannot be seen at a run of bus addresses, or nothing: a bus address must not mean both
   * RAM and a BAR, nor RAM and an interrupt.
   */
  static String taken(final long base, final long size) {
    final long hole = PhysicalLayout.MMIO32_BASE;
    final boolean inHole = base < PhysicalLayout.HIGH_RAM_BASE && base + size > hole;
    final boolean inBars =
        base < PhysicalLayout.MMIO64_LIMIT && base + size > PhysicalLayout.MMIO64_BASE;
    return size > 0 && (inHole || inBars)
        ? "puts RAM at bus addresses 0x"
            + Long.toHexString(base)
            + "..0x"
            + Long.toHexString(base + size - 1)
            + ", where devices have their BARs or interrupts"
        : "";
  }

  private static long parse(final String text) {
    try {
      return text.startsWith("0x") || text.startsWith("0X")
          ? Long.parseLong(text.substring(2), 16)
          : Long.parseLong(text);
    } catch (final NumberFormatException e) {
      throw new IllegalArgumentException(
          Machine.PID + ": busOffset=" + text + " is not a number such as 0x40000000", e);
    }
  }
}
