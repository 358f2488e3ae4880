package io.carom.pci;

/**
 * Registers of the host bridge by which functions come and go at run time, at {@code
 * PhysicalLayout.HOTPLUG_BASE}. Little-endian, 32 bits each, one bit per slot of bus 0.
 *
 * <pre>
 *  0x00 UP       slots plugged since last cleared; write 1 to clear
 *  0x04 DOWN     slots that the host wants back;    write 1 to clear
 *  0x08 EJECT    write 1: the guest lets the slot go; reads 0
 *  0x0c GONE     slots removed by surprise;         write 1 to clear
 *  0x10 ADDRESS  message address of the notification, low half (0: none)
 *  0x14 ADDRESS  high half
 *  0x18 DATA     message data
 * </pre>
 *
 * <p>The same idea as QEMU's ACPI PCI hotplug registers, with a message instead of the SCI.
 */
public final class HotplugDescriptor {
  /** Slots plugged. */
  public static final int UP = 0x00;

  /** Slots whose removal the host asks for. */
  public static final int DOWN = 0x04;

  /** Slots that the guest lets go. */
  public static final int EJECT = 0x08;

  /** Slots that were removed by surprise. */
  public static final int GONE = 0x0c;

  /** Message address, low half. */
  public static final int ADDRESS_LOW = 0x10;

  /** Message address, high half. */
  public static final int ADDRESS_HIGH = 0x14;

  /** Message data. */
  public static final int DATA = 0x18;

  private HotplugDescriptor() {}
}
