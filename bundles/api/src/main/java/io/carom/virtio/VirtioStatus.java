package io.carom.virtio;

/** Bits of the device status field (virtio 1.4, section Device Status Field). */
public final class VirtioStatus {
  /** The driver has found the device. */
  public static final int ACKNOWLEDGE = 1;

  /** The driver knows how to drive it. */
  public static final int DRIVER = 2;

  /** The driver is ready. */
  public static final int DRIVER_OK = 4;

  /** Features are negotiated. */
  public static final int FEATURES_OK = 8;

  /** The driver wants the device to be, or it is, suspended; with the feature SUSPEND. */
  public static final int SUSPEND = 16;

  /** The device has met an error that only a reset mends. */
  public static final int NEEDS_RESET = 64;

  /** The driver has given up. */
  public static final int FAILED = 128;

  private VirtioStatus() {}
}
