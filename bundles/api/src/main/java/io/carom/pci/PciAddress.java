package io.carom.pci;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a function sits: bus, device (slot), function; printed as {@code 00:04.0}.
 *
 * @param bus 0..255
 * @param device 0..31
 * @param function 0..7
 */
public record PciAddress(int bus, int device, int function) implements Comparable<PciAddress> {
  private static final Pattern TEXT =
      Pattern.compile("(?:0000:)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\\.([0-7])");

  /** Checks the ranges. */
  public PciAddress {
    if (bus < 0 || bus > 255 || device < 0 || device > 31 || function < 0 || function > 7) {
      throw new IllegalArgumentException(
          "PCI address " + bus + ":" + device + "." + function + " is out of range");
    }
  }

  /** Reads {@code 00:04.0} or {@code 0000:00:04.0}. */
  public static PciAddress parse(final String text) {
    final Matcher m = TEXT.matcher(text.trim());
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a PCI address such as 00:04.0 (bus:device.function)");
    }
    return new PciAddress(
        Integer.parseInt(m.group(1), 16),
        Integer.parseInt(m.group(2), 16),
        Integer.parseInt(m.group(3)));
  }

  /** Device and function in 8 bits, as configuration accesses carry them. */
  public int devfn() {
    return device << 3 | function;
  }

  /** Offset of the function's 4 KiB in the ECAM window (PCIe base spec 7.2.2). */
  public long ecamOffset() {
    return (long) bus << 20 | (long) devfn() << 12;
  }

  /** The form that the kernel prints: with the domain, {@code 0000:00:04.0}. */
  public String withDomain() {
    return "0000:" + this;
  }

  @Override
  public int compareTo(final PciAddress other) {
    return Integer.compare(bus << 8 | devfn(), other.bus << 8 | other.devfn());
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%02x:%02x.%x", bus, device, function);
  }
}
