package io.carom.pci;

import org.jspecify.annotations.Nullable;

/**
 * One capability of a function's chain, without MSI-X, which the bus adds.
 *
 * @param body the capability's bytes from its id on; the next pointer (byte 1) is filled in by the
 *     bus
 * @param writeMask bits that the guest may write, as long as {@code body}
 * @param access called on accesses to the body, or null when plain storage is enough
 */
public record CapabilitySpec(byte[] body, byte[] writeMask, @Nullable CapabilityAccess access) {
  /** Checks and copies. */
  public CapabilitySpec {
    if (body.length < 2 || body.length != writeMask.length) {
      throw new IllegalArgumentException(
          "capability of " + body.length + " bytes, mask of " + writeMask.length);
    }
    body = body.clone();
    writeMask = writeMask.clone();
  }

  /** A capability that the guest can only read. */
  public static CapabilitySpec readOnly(final byte[] body) {
    return new CapabilitySpec(body, new byte[body.length], null);
  }

  /** The same, with side effects that are none in place of its own. */
  public CapabilitySpec withoutCode() {
    return access == null ? this : new CapabilitySpec(body, writeMask, CapabilityAccess.NONE);
  }
}
