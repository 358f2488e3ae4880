package io.carom.pci;

/**
 * The MSI-X capability and its table (PCI 3.0 section 6.8.2), little-endian.
 *
 * <pre>
 *  capability:  id 0x11 │ next │ control (16)
 *               table offset (29) │ BIR (3)
 *               PBA offset (29)   │ BIR (3)
 *  table entry: address low │ address high │ data │ vector control
 * </pre>
 */
public final class MsixDescriptor {
  /** Capability id. */
  public static final int CAPABILITY_ID = 0x11;

  /** Bytes of the capability. */
  public static final int CAPABILITY_SIZE = 12;

  /** u16 message control. */
  public static final int CONTROL = 2;

  /** u32 table offset and BAR. */
  public static final int TABLE = 4;

  /** u32 pending bit array offset and BAR. */
  public static final int PBA = 8;

  /** Control bits 10..0: vectors minus one. */
  public static final int CONTROL_SIZE_MASK = 0x7ff;

  /** Control bit 14: all vectors masked. */
  public static final int CONTROL_FUNCTION_MASK = 1 << 14;

  /** Control bit 15: MSI-X on. */
  public static final int CONTROL_ENABLE = 1 << 15;

  /** BAR index bits of the offset registers. */
  public static final int BIR_MASK = 7;

  /** Bytes of a table entry. */
  public static final int ENTRY_SIZE = 16;

  /** u32 message address, low half. */
  public static final int ENTRY_ADDRESS_LOW = 0;

  /** u32 message address, high half. */
  public static final int ENTRY_ADDRESS_HIGH = 4;

  /** u32 message data. */
  public static final int ENTRY_DATA = 8;

  /** u32 vector control; bit 0 masks. */
  public static final int ENTRY_CONTROL = 12;

  private MsixDescriptor() {}

  /** Offset of an entry in the table. */
  public static int entry(final int vector) {
    return vector * ENTRY_SIZE;
  }

  /** Bytes of the pending bit array for a number of vectors: whole 64-bit words. */
  public static int pbaSize(final int vectors) {
    return (vectors + 63) / 64 * 8;
  }
}
