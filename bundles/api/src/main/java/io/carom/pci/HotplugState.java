package io.carom.pci;

/**
 * Contents of the registers of {@link HotplugDescriptor}.
 *
 * @param up slots plugged, one bit each
 * @param down slots that the host wants back
 * @param gone slots removed by surprise
 * @param addressLow message address, low half
 * @param addressHigh message address, high half
 * @param data message data
 */
public record HotplugState(int up, int down, int gone, int addressLow, int addressHigh, int data) {
  /** As after reset. */
  public static final HotplugState NONE = new HotplugState(0, 0, 0, 0, 0, 0);
}
