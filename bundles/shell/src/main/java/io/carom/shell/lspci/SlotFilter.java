package io.carom.shell.lspci;

import io.carom.pci.PciAddress;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Selects functions as {@code lspci -s} does: {@code [[domain:]bus:][slot][.[function]]}. */
public final class SlotFilter {
  // what is before a colon is the domain only when another colon follows
  private static final Pattern TEXT =
      Pattern.compile(
          "(?:(?:0{1,4}|\\*)?:(?=[^:]*:))?(?:([0-9a-fA-F]{1,2}|\\*)?:)?([0-9a-fA-F]{1,2}|\\*)?"
              + "(?:\\.([0-7]|\\*)?)?");

  private final int bus;
  private final int slot;
  private final int function;

  private SlotFilter(final int bus, final int slot, final int function) {
    this.bus = bus;
    this.slot = slot;
    this.function = function;
  }

  /** Reads a filter. */
  public static SlotFilter parse(final String text) {
    final Matcher m = TEXT.matcher(text);
    if (!m.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a slot such as 00:04.0, 00:04, 04 or .0");
    }
    return new SlotFilter(part(m.group(1)), part(m.group(2)), part(m.group(3)));
  }

  /** Whether an address is selected. */
  public boolean matches(final PciAddress address) {
    return matches(bus, address.bus())
        && matches(slot, address.device())
        && matches(function, address.function());
  }

  private static boolean matches(final int wanted, final int value) {
    return wanted < 0 || wanted == value;
  }

  private static int part(final @Nullable String text) {
    return text == null || text.equals("*") ? -1 : Integer.parseInt(text, 16);
  }
}
