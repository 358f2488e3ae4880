package io.carom.dma;

/**
 * A list of buffers to be mapped together: what the driver fills in, and what a map returned. Made
 * once and used again; not thread-safe.
 */
public final class ScatterList {
  private final long[] addresses;
  private final long[] lengths;
  private final long[] busAddresses;
  private int entries;

  /** A list with room for {@code capacity} entries. */
  public ScatterList(final int capacity) {
    addresses = new long[capacity];
    lengths = new long[capacity];
    busAddresses = new long[capacity];
  }

  /** Forgets all entries. */
  public void clear() {
    entries = 0;
  }

  /**
   * Adds a buffer.
   *
   * @param address guest-physical address
   * @param length bytes, at least 1
   * @throws IndexOutOfBoundsException when the list is full
   */
  public void add(final long address, final long length) {
    addresses[entries] = address;
    lengths[entries] = length;
    busAddresses[entries] = DmaDevice.MAPPING_ERROR;
    entries++;
  }

  /** Number of entries. */
  public int entries() {
    return entries;
  }

  /** Most entries. */
  public int capacity() {
    return addresses.length;
  }

  /** Guest-physical address of an entry. */
  public long address(final int entry) {
    return addresses[entry];
  }

  /** Bytes of an entry. */
  public long length(final int entry) {
    return lengths[entry];
  }

  /** Bus address of a mapped entry. */
  public long busAddress(final int entry) {
    return busAddresses[entry];
  }

  /** Sets what a map returned. For the DMA core. */
  public void mapped(final int entry, final long busAddress) {
    busAddresses[entry] = busAddress;
  }
}
