package io.carom.dma.core.swap;

import io.carom.pci.PciAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the core's configuration says about IOMMU domains.
 *
 * @param groups devices that share a domain, by name; one that is in none has its own
 * @param untrusted devices from which all is hidden that shares a granule with their buffers; empty
 *     for none
 * @param allUntrusted whether every device is
 */
public record IommuSettings(List<Set<String>> groups, Set<String> untrusted, boolean allUntrusted) {
  /** Every device has its own domain and is trusted. */
  public static final IommuSettings NONE = new IommuSettings(List.of(), Set.of(), false);

  /** Copies the lists. */
  public IommuSettings {
    groups = groups.stream().map(Set::copyOf).toList();
    untrusted = Set.copyOf(untrusted);
  }

  /**
   * Reads the configuration.
   *
   * @param groups each {@code BDF,BDF[,BDF...]}
   * @param untrusted {@code all}, {@code none}, or {@code BDF[,BDF...]}
   * @throws IllegalArgumentException with one line that names value, rule and property
   */
  public static IommuSettings parse(final String[] groups, final String untrusted) {
    final List<Set<String>> parsed = new ArrayList<>();
    final Set<String> seen = new HashSet<>();
    for (final String group : groups) {
      if (group.isBlank()) {
        continue;
      }
      final Set<String> names = names("iommuGroups", group);
      if (names.size() < 2) {
        throw new IllegalArgumentException(
            "iommuGroups=" + group + " names one device; a group has at least two");
      }
      for (final String name : names) {
        if (!seen.add(name)) {
          throw new IllegalArgumentException(
              "iommuGroups names " + name + " twice; a device is in one group");
        }
      }
      parsed.add(names);
    }
    final String who = untrusted.trim();
    return switch (who) {
      case "", "none" -> new IommuSettings(parsed, Set.of(), false);
      case "all" -> new IommuSettings(parsed, Set.of(), true);
      default -> new IommuSettings(parsed, names("untrustedDevices", who), false);
    };
  }

  private static Set<String> names(final String property, final String text) {
    final Set<String> names = new HashSet<>();
    for (final String name : text.split(",", -1)) {
      try {
        names.add(PciAddress.parse(name).withDomain());
      } catch (final IllegalArgumentException e) {
        throw new IllegalArgumentException(property + "=" + text + ": " + e.getMessage());
      }
    }
    return names;
  }

  /** The devices that share a domain with this one, itself included. */
  public Set<String> groupOf(final String device) {
    for (final Set<String> group : groups) {
      if (group.contains(device)) {
        return group;
      }
    }
    return Set.of(device);
  }

  /** Whether a device is not trusted. */
  public boolean isUntrusted(final String device) {
    return allUntrusted || untrusted.contains(device);
  }
}
