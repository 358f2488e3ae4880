package io.carom.pci;

/** What a device wants to do with memory. */
public enum BusAccess {
  /** The device reads memory. */
  READ,
  /** The device writes memory. */
  WRITE
}
