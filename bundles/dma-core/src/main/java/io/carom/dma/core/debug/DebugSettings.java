package io.carom.dma.core.debug;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What the core's configuration says about dma-debug.
 *
 * @param all whether it is on for every device
 * @param devices otherwise for these, with or without the PCI domain
 * @param driver only violations of this driver or device are logged and kept; empty: of all
 * @param entries entries to make in advance
 */
public record DebugSettings(boolean all, Set<String> devices, String driver, int entries) {
  /** Off. */
  public static final DebugSettings OFF =
      new DebugSettings(false, Set.of(), "", EntryPool.PREALLOCATED);

  /** Copies the set. */
  public DebugSettings {
    devices = Set.copyOf(devices);
  }

  /**
   * Reads the configuration.
   *
   * @param debug {@code all}, {@code none}, or names of devices with commas between
   * @throws IllegalArgumentException with one line that names value, rule and property
   */
  public static DebugSettings of(final String debug, final String driver, final int entries) {
    if (entries < 1 || entries > EntryPool.MOST) {
      throw new IllegalArgumentException(
          "debugEntries=" + entries + " is not in 1.." + EntryPool.MOST);
    }
    final Set<String> names =
        Arrays.stream(debug.split(","))
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .collect(Collectors.toUnmodifiableSet());
    if (names.size() > 1 && (names.contains("all") || names.contains("none"))) {
      throw new IllegalArgumentException(
          "debug=" + debug + " is neither all, nor none, nor a list of devices");
    }
    final boolean all = names.contains("all");
    return new DebugSettings(
        all, all || names.contains("none") ? Set.of() : names, driver.strip(), entries);
  }

  boolean wants(final String device) {
    return all || devices.stream().anyMatch(name -> matches(device, name));
  }

  /** Whether a name, with or without the domain, is a device's. */
  static boolean matches(final String device, final String name) {
    return device.equals(name) || device.equals("0000:" + name);
  }
}
