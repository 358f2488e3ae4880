package io.carom.virtio.device.queue;

/**
 * A queue as the driver enabled it: constant until the next reset.
 *
 * @param size entries
 * @param desc bus address of the descriptor area
 * @param driver bus address of the driver area
 * @param device bus address of the device area
 * @param indirect whether INDIRECT_DESC was negotiated
 * @param eventIndex whether EVENT_IDX was negotiated
 * @param restricted whether SWIOTLB was negotiated: every address lies in the function's own region
 */
public record QueueSetup(
    int size,
    long desc,
    long driver,
    long device,
    boolean indirect,
    boolean eventIndex,
    boolean restricted) {}
