package io.carom.virtio.device.rng;

/**
 * What an entropy device is like.
 *
 * @param queueSize entries of its queue
 * @param bytesPerSecond most random bytes that it gives, 0 for as many as are asked for
 */
public record RngOptions(int queueSize, long bytesPerSecond) {
  /** Largest rate; far above what a source gives, and below what overflows in a budget. */
  public static final long MAX_BYTES_PER_SECOND = 1L << 30;
}
