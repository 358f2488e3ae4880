package io.carom.virtio;

/** Identity of virtio functions (virtio 1.4, section PCI Device Discovery). */
public final class VirtioIds {
  /** PCI vendor id of virtio functions. */
  public static final int VENDOR = 0x1af4;

  /** Device id of a modern function is this plus its type. */
  public static final int MODERN_DEVICE_BASE = 0x1040;

  /** Last modern device id. */
  public static final int MODERN_DEVICE_LAST = 0x107f;

  /**
   * Subsystem device id that QEMU gives modern functions; the specification wants at least 0x40.
   */
  public static final int SUBSYSTEM = 0x1100;

  /** Device type of a network card. */
  public static final int TYPE_NET = 1;

  /** Device type of a console. */
  public static final int TYPE_CONSOLE = 3;

  /** Device type of an entropy source. */
  public static final int TYPE_ENTROPY = 4;

  /** Device type of a block device. */
  public static final int TYPE_BLOCK = 2;

  /** Device type of an IOMMU. */
  public static final int TYPE_IOMMU = 23;

  private VirtioIds() {}

  /** The PCI device id of a modern function. */
  public static int deviceId(final int type) {
    return MODERN_DEVICE_BASE + type;
  }
}
