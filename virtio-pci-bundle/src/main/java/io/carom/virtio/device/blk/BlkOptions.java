package io.carom.virtio.device.blk;

/**
 * What a block device is like.
 *
 * @param readOnly whether writes are refused
 * @param queues request queues
 * @param queueSize entries of each
 * @param writeCache whether it begins with a write cache; a driver may switch it with CONFIG_WCE
 * @param sizeMax largest data segment that it asks for, 0 for any: SIZE_MAX is not offered then
 */
public record BlkOptions(
    boolean readOnly, int queues, int queueSize, boolean writeCache, int sizeMax) {
  /** With a write cache and segments of any size. */
  public static BlkOptions of(final boolean readOnly, final int queues, final int queueSize) {
    return new BlkOptions(readOnly, queues, queueSize, true, 0);
  }
}
