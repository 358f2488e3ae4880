package io.carom.pci;

/**
 * Type 0 configuration header (PCI 3.0 section 6.1), little-endian.
 *
 * <pre>
 *  0x00 │ vendor id        │ device id          │
 *  0x04 │ command          │ status             │
 *  0x08 │ rev │ class code (24)                 │
 *  0x0c │ line│ latency    │ header  │ BIST     │
 *  0x10 │ BAR 0 .. BAR 5 (6 x 32)               │
 *  0x28 │ CardBus CIS                           │
 *  0x2c │ subsystem vendor │ subsystem id       │
 *  0x30 │ expansion ROM                         │
 *  0x34 │ cap pointer │ reserved                │
 *  0x3c │ int line │ int pin │ min gnt │ max lat│
 * </pre>
 */
public final class ConfigSpaceDescriptor {
  /** Bytes of conventional config space. */
  public static final int SIZE = 256;

  /** Bytes of a function in the ECAM window. */
  public static final int ECAM_SIZE = 4096;

  /** u16 vendor id. */
  public static final int VENDOR_ID = 0x00;

  /** u16 device id. */
  public static final int DEVICE_ID = 0x02;

  /** u16 command register. */
  public static final int COMMAND = 0x04;

  /** u16 status register. */
  public static final int STATUS = 0x06;

  /** u8 revision. */
  public static final int REVISION = 0x08;

  /** u24 class code: interface, subclass, base class. */
  public static final int CLASS_CODE = 0x09;

  /** u8 cache line size. */
  public static final int CACHE_LINE = 0x0c;

  /** u8 latency timer. */
  public static final int LATENCY_TIMER = 0x0d;

  /** u8 header type; bit 7 multifunction. */
  public static final int HEADER_TYPE = 0x0e;

  /** First of six u32 BARs. */
  public static final int BAR0 = 0x10;

  /** u16 subsystem vendor id. */
  public static final int SUBSYSTEM_VENDOR_ID = 0x2c;

  /** u16 subsystem id. */
  public static final int SUBSYSTEM_ID = 0x2e;

  /** u32 expansion ROM. */
  public static final int ROM = 0x30;

  /** u8 pointer to the first capability. */
  public static final int CAPABILITY_POINTER = 0x34;

  /** u8 interrupt line. */
  public static final int INTERRUPT_LINE = 0x3c;

  /** u8 interrupt pin. */
  public static final int INTERRUPT_PIN = 0x3d;

  /** First offset at which a capability may lie. */
  public static final int CAPABILITIES = 0x40;

  /** Number of BARs. */
  public static final int BARS = 6;

  /** Command bit 0: decode I/O space. */
  public static final int COMMAND_IO = 1;

  /** Command bit 1: decode memory BARs. */
  public static final int COMMAND_MEMORY = 1 << 1;

  /** Command bit 2: bus mastering. */
  public static final int COMMAND_BUS_MASTER = 1 << 2;

  /** Command bit 6: parity error response. */
  public static final int COMMAND_PARITY = 1 << 6;

  /** Command bit 8: SERR# enable. */
  public static final int COMMAND_SERR = 1 << 8;

  /** Command bit 10: INTx disable. */
  public static final int COMMAND_INTX_DISABLE = 1 << 10;

  /** Command bits that a function of ours implements as read-write. */
  public static final int COMMAND_WRITABLE =
      COMMAND_MEMORY | COMMAND_BUS_MASTER | COMMAND_PARITY | COMMAND_SERR | COMMAND_INTX_DISABLE;

  /** Status bit 3: INTx asserted; read-only. */
  public static final int STATUS_INTX = 1 << 3;

  /** Status bit 4: there is a capability list; read-only. */
  public static final int STATUS_CAPABILITIES = 1 << 4;

  /** Status bits 8 and 11..15: errors, cleared by writing 1. */
  public static final int STATUS_W1C = 0xf900;

  /** BAR bits 2..1: 64-bit. */
  public static final int BAR_64 = 0x4;

  /** BAR bit 3: prefetchable. */
  public static final int BAR_PREFETCHABLE = 0x8;

  /** BAR bits that are not address. */
  public static final int BAR_FLAGS = 0xf;

  private ConfigSpaceDescriptor() {}

  /** Offset of a BAR. */
  public static int bar(final int index) {
    return BAR0 + 4 * index;
  }
}
