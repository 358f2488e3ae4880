package io.carom.virtio.device.queue;

import io.carom.virtio.VirtioFeatures;

/**
 * A queue as the driver enabled it: constant until the next reset.
 *
 * @param size entries
 * @param desc address of the descriptor area
 * @param driver address of the driver area
 * @param device address of the device area
 * @param features accepted feature bits
 * @param addresses what addresses mean
 * @param uniform whether a queue with its areas in the function's own range must have all its
 *     buffers there, and one with its areas elsewhere none; means something in mode {@link
 *     AddressMode#BUS} only
 */
public record QueueSetup(
    int size,
    long desc,
    long driver,
    long device,
    long features,
    AddressMode addresses,
    boolean uniform) {
  /** Whether RING_PACKED was negotiated. */
  public boolean packed() {
    return (features & VirtioFeatures.RING_PACKED) != 0;
  }

  /** Whether INDIRECT_DESC was negotiated. */
  public boolean indirect() {
    return (features & VirtioFeatures.INDIRECT_DESC) != 0;
  }

  /** Whether EVENT_IDX was negotiated. */
  public boolean eventIndex() {
    return (features & VirtioFeatures.EVENT_IDX) != 0;
  }

  /** Whether IN_ORDER was negotiated. */
  public boolean inOrder() {
    return (features & VirtioFeatures.IN_ORDER) != 0;
  }
}
