package io.carom.guest.shim.pci;

import io.carom.pci.ConfigSpaceDescriptor;
import java.util.ArrayList;
import java.util.List;

/**
 * The capability chain of a function (PCI 3.0, section 6.7), walked so that no chain can lead
 * astray: a pointer's two low bits are masked, it must lie behind the header, each capability is
 * visited once, and there are at most as many as fit.
 */
public final class Capabilities {
  /** Most capabilities: the space behind the header in units of four bytes. */
  static final int MOST = 48;

  private static final int POINTER_MASK = 0xfc;

  /**
   * One capability.
   *
   * @param id capability id
   * @param offset where it starts in config space
   */
  public record Capability(int id, int offset) {}

  private Capabilities() {}

  /** The capabilities in the order of the chain, up to the first pointer that breaks a rule. */
  public static List<Capability> walk(final ConfigSpace config) {
    final List<Capability> found = new ArrayList<>();
    final int status = config.read16(ConfigSpaceDescriptor.STATUS);
    if ((status & ConfigSpaceDescriptor.STATUS_CAPABILITIES) == 0) {
      return found;
    }
    final boolean[] seen = new boolean[ConfigSpaceDescriptor.SIZE];
    int offset = config.read8(ConfigSpaceDescriptor.CAPABILITY_POINTER) & POINTER_MASK;
    while (offset >= ConfigSpaceDescriptor.CAPABILITIES && !seen[offset] && found.size() < MOST) {
      seen[offset] = true;
      final int header = config.read16(offset);
      if (header == ConfigSpace.ABSENT) {
        break; // the function has gone
      }
      found.add(new Capability(header & 0xff, offset));
      offset = header >>> 8 & POINTER_MASK;
    }
    return found;
  }
}
