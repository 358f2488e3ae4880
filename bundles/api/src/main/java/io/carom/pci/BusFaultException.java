package io.carom.pci;

import java.io.Serial;

/**
 * A device access that the bus refused. Counted before it is thrown; no byte was moved. Carries no
 * stack trace, as a hostile guest can cause any number of them.
 */
public final class BusFaultException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** Why the bus refused. */
  public enum Reason {
    /** Nothing answers at the address. */
    UNMAPPED,
    /** The page is private to a confidential guest. */
    PRIVATE_PAGE,
    /** Bus mastering is off. */
    BUS_MASTER_OFF,
    /** The IOMMU has no translation, or not with this permission. */
    TRANSLATION,
    /** The run wraps around or is longer than the address space. */
    OVERFLOW,
    /** The address is a device's register, or another function's memory. */
    NOT_MEMORY,
    /** The port's epoch was revoked: the device is gone or was taken over. */
    REVOKED
  }

  private final Reason reason;
  private final long address;
  private final long length;

  /** A fault of {@code length} bytes at a bus address. */
  public BusFaultException(final Reason reason, final long address, final long length) {
    super(reason + " at 0x" + Long.toHexString(address) + ", length " + length, null, false, false);
    this.reason = reason;
    this.address = address;
    this.length = length;
  }

  /** Why. */
  public Reason reason() {
    return reason;
  }

  /** The bus address asked for. */
  public long address() {
    return address;
  }

  /** Bytes asked for. */
  public long length() {
    return length;
  }
}
