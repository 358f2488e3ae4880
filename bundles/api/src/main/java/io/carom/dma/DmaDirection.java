package io.carom.dma;

/** Which way data moves, as in Linux's {@code enum dma_data_direction}. */
public enum DmaDirection {
  /** Either way. */
  BIDIRECTIONAL,
  /** The device reads memory. */
  TO_DEVICE,
  /** The device writes memory. */
  FROM_DEVICE;

  /** Whether the device may have written the buffer. */
  public boolean fromDevice() {
    return this != TO_DEVICE;
  }

  /** Whether the device may read the buffer. */
  public boolean toDevice() {
    return this != FROM_DEVICE;
  }
}
