package io.carom.virtio;

/**
 * A virtio structure capability (virtio 1.4, section Virtio Structure PCI Capabilities),
 * little-endian.
 *
 * <pre>
 *  0 │ cap_vndr 0x09 │ cap_next │ cap_len │ cfg_type │
 *  4 │ bar           │ id       │ padding (16)       │
 *  8 │ offset (32)                                   │
 * 12 │ length (32)                                   │
 * 16 │ NOTIFY: notify_off_multiplier (32)            │
 *    │ PCI_CFG: pci_cfg_data (4 x 8)                 │
 * </pre>
 */
public final class VirtioPciCapDescriptor {
  /** PCI capability id: vendor specific. */
  public static final int CAPABILITY_ID = 0x09;

  /** u8 length of the capability. */
  public static final int CAP_LEN = 2;

  /** u8 structure type. */
  public static final int CFG_TYPE = 3;

  /** u8 BAR index. */
  public static final int BAR = 4;

  /** u8 id that tells several of a type apart. */
  public static final int ID = 5;

  /** u32 offset in the BAR. */
  public static final int OFFSET = 8;

  /** u32 length. */
  public static final int LENGTH = 12;

  /** u32 multiplier of queue_notify_off, NOTIFY only. */
  public static final int NOTIFY_MULTIPLIER = 16;

  /** u32 window, PCI_CFG only. */
  public static final int PCI_CFG_DATA = 16;

  /** u32 upper half of the offset, in a capability of 64 bits. */
  public static final int OFFSET_HIGH = 16;

  /** u32 upper half of the length, in a capability of 64 bits. */
  public static final int LENGTH_HIGH = 20;

  /** Bytes of a capability of 64 bits ({@code virtio_pci_cap64}). */
  public static final int SIZE_64 = 24;

  /** u16 vendor id, VENDOR only; not virtio's own. */
  public static final int VENDOR_ID = 4;

  /** Bytes without extra data. */
  public static final int SIZE = 16;

  /** Bytes of the NOTIFY and PCI_CFG capabilities. */
  public static final int EXTENDED_SIZE = 20;

  /** cfg_type: common configuration. */
  public static final int TYPE_COMMON = 1;

  /** cfg_type: notifications. */
  public static final int TYPE_NOTIFY = 2;

  /** cfg_type: ISR status. */
  public static final int TYPE_ISR = 3;

  /** cfg_type: device-specific configuration. */
  public static final int TYPE_DEVICE = 4;

  /** cfg_type: access to BARs through config space. */
  public static final int TYPE_PCI_CFG = 5;

  /** cfg_type: a shared memory region; {@link #ID} is its shmid, 64 bits. */
  public static final int TYPE_SHARED_MEMORY = 8;

  /** cfg_type: data of the vendor. */
  public static final int TYPE_VENDOR = 9;

  /** cfg_type of the SWIOTLB proposal: the range of a BAR that is the bounce region. */
  public static final int TYPE_SWIOTLB = 10;

  private VirtioPciCapDescriptor() {}
}
