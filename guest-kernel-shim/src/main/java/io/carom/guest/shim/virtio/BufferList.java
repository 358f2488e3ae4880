package io.carom.guest.shim.virtio;

/**
 * The buffers of one chain, those that the device reads before those that it writes. One object is
 * used again for every chain of a driver. Not thread-safe.
 */
public final class BufferList {
  /** Most bytes of a chain (virtio 1.4, section Virtqueue descriptors). */
  private static final long MOST_BYTES = 1L << 32;

  private final long[] addresses;
  private final int[] lengths;
  private int count;
  private int readable;
  private long writableBytes;
  private long bytes;

  /**
   * An empty list.
   *
   * @param most buffers that it can hold
   */
  public BufferList(final int most) {
    addresses = new long[most];
    lengths = new int[most];
  }

  /** Forgets the buffers. */
  public void clear() {
    count = 0;
    readable = 0;
    writableBytes = 0;
    bytes = 0;
  }

  /**
   * Appends a buffer that the device reads.
   *
   * @param address bus address
   * @param length bytes, at least 1
   * @throws IllegalStateException after a buffer that the device writes
   */
  public void readable(final long address, final int length) {
    if (readable < count) {
      throw new IllegalStateException("a readable buffer follows a writable one");
    }
    append(address, length);
    readable = count;
  }

  /**
   * Appends a buffer that the device writes.
   *
   * @throws IllegalArgumentException when it is empty, or the chain gets too long
   */
  public void writable(final long address, final int length) {
    append(address, length);
    writableBytes += length;
  }

  private void append(final long address, final int length) {
    if (length < 1) {
      throw new IllegalArgumentException("a buffer of " + length + " bytes");
    }
    if (length > MOST_BYTES - bytes) {
      throw new IllegalArgumentException("a chain of more than " + MOST_BYTES + " bytes");
    }
    bytes += length;
    addresses[count] = address;
    lengths[count] = length;
    count++;
  }

  /** Number of buffers. */
  public int count() {
    return count;
  }

  /** How many of them, from the first on, the device reads. */
  public int readable() {
    return readable;
  }

  /** Bytes that the device may write. */
  public long writableBytes() {
    return writableBytes;
  }

  /** Bus address of a buffer. */
  public long address(final int index) {
    return addresses[index];
  }

  /** Bytes of a buffer. */
  public int length(final int index) {
    return lengths[index];
  }
}
