package io.carom.virtio;

import org.osgi.annotation.versioning.ProviderType;

/**
 * A request as the driver made it available: bytes that the device reads, then bytes that it
 * writes, however they are cut into descriptors. Valid only while it is handled.
 */
@ProviderType
public interface VirtioRequest {
  /** Bytes not read yet. */
  long readable();

  /** Bytes not written yet. */
  long writable();

  /**
   * Reads the next bytes, once: a driver may change them at any time.
   *
   * @param target filled from its start
   * @return bytes read, the lesser of {@code target.length} and {@link #readable}
   */
  int read(byte[] target);

  /**
   * Writes the next bytes.
   *
   * @param length at most {@link #writable}
   */
  void write(byte[] source, int length);

  /** Skips bytes that are to be written, which stay as they are but count as written. */
  void skip(long bytes);
}
