package io.carom.virtio.device.queue;

/** What a queue's addresses mean: those of its areas, of descriptors and of indirect tables. */
public enum AddressMode {
  /** Bus addresses, anywhere that the function's port leads. */
  BUS,
  /** Bus addresses, each run of them wholly in the function's own SWIOTLB range. */
  RESTRICTED,
  /**
   * Offsets in the function's own SWIOTLB range, wherever it is decoded. Offset 0 is reserved: it
   * is never published, and is an error here.
   */
  OFFSETS;
}
