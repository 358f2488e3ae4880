package io.carom.memory;

/**
 * The fixed part of the guest's physical address map.
 *
 * <pre>
 *  0 ──────────── low RAM ────────────┐ at most {@link #LOW_RAM_LIMIT}
 *  LOW_RAM_LIMIT   32-bit BAR window  │
 *  ECAM_BASE       PCI config space   │ the 32-bit MMIO hole
 *  HOTPLUG_BASE    hotplug registers  │
 *  MSI_BASE        message window     │
 *  4 GiB ──────── high RAM ───────────┘
 *  MMIO64_BASE     64-bit BAR window
 * </pre>
 *
 * <p>All addresses are guest-physical, in bytes; every limit is exclusive.
 */
public final class PhysicalLayout {
  /** Bytes of a page: the unit of allocation and of page states. */
  public static final int PAGE_SIZE = 4096;

  /** log2 of {@link #PAGE_SIZE}. */
  public static final int PAGE_SHIFT = 12;

  /** End of the space that low RAM may fill, and start of the 32-bit BAR window. */
  public static final long LOW_RAM_LIMIT = 0xC000_0000L;

  /** First address of the 32-bit BAR window. */
  public static final long MMIO32_BASE = LOW_RAM_LIMIT;

  /** End of the 32-bit BAR window. */
  public static final long MMIO32_LIMIT = 0xE000_0000L;

  /** First address of the enhanced configuration access window (PCIe base spec 7.2.2). */
  public static final long ECAM_BASE = 0xE000_0000L;

  /** Bytes of the configuration window: one bus. */
  public static final long ECAM_SIZE = 0x10_0000L;

  /** First address of the hotplug registers, see {@code HotplugDescriptor}. */
  public static final long HOTPLUG_BASE = 0xFED1_0000L;

  /** Bytes of the hotplug registers. */
  public static final long HOTPLUG_SIZE = 0x1000L;

  /** First address of the message-signalled interrupt window. */
  public static final long MSI_BASE = 0xFEE0_0000L;

  /** Bytes of the message window. */
  public static final long MSI_SIZE = 0x10_0000L;

  /** Start of high RAM. */
  public static final long HIGH_RAM_BASE = 0x1_0000_0000L;

  /** First address of the 64-bit BAR window. */
  public static final long MMIO64_BASE = 0x80_0000_0000L;

  /** End of the 64-bit BAR window. */
  public static final long MMIO64_LIMIT = 0x100_0000_0000L;

  private PhysicalLayout() {}

  /** Whether an address lies in the message window. */
  public static boolean isMessage(final long address) {
    return address >= MSI_BASE && address < MSI_BASE + MSI_SIZE;
  }
}
