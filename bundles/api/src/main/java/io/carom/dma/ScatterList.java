package io.carom.dma;

/**
 * A list of buffers to be mapped together: what the driver fills in, and what a map returned. A map
 * may return fewer runs than there are entries, as a bounce buffer or an IOMMU puts them side by
 * side; unmap and sync still take the list as it was filled in. Made once and used again; not
 * thread-safe.
 */
public final class ScatterList {
  private final long[] addresses;
  private final long[] lengths;
  private final long[] busAddresses;
  private final long[] mappedLengths;
  private int entries;
  private int mapped;
  private boolean asOne;

  /** A list with room for {@code capacity} entries. */
  public ScatterList(final int capacity) {
    addresses = new long[capacity];
    lengths = new long[capacity];
    busAddresses = new long[capacity];
    mappedLengths = new long[capacity];
  }

  /** Forgets all entries. */
  public void clear() {
    entries = 0;
    mapped = 0;
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

  /** Bytes of all entries. */
  public long bytes() {
    long sum = 0;
    for (int i = 0; i < entries; i++) {
      sum += lengths[i]; // of RAM, so far below 2^63
    }
    return sum;
  }

  /** Runs that the map returned, 0 while it is not mapped; at most {@link #entries}. */
  public int mappedEntries() {
    return mapped;
  }

  /** Bus address of a run, or {@link DmaDevice#MAPPING_ERROR} behind the last one. */
  public long busAddress(final int run) {
    return busAddresses[run];
  }

  /** Bytes of a run. */
  public long mappedLength(final int run) {
    return mappedLengths[run];
  }

  /** Whether the map placed all entries as one mapping. For the DMA core. */
  public boolean asOne() {
    return asOne;
  }

  /** Says that all entries are one mapping. For the DMA core. */
  public void asOne(final boolean value) {
    asOne = value;
  }

  /** Forgets what a map returned. For the DMA core. */
  public void unmapped() {
    asOne = false;
    for (int i = 0; i < entries; i++) {
      busAddresses[i] = DmaDevice.MAPPING_ERROR;
    }
    mapped = 0;
  }

  /** Changes the bus address of a run, as when its mapping ended. For the DMA core. */
  public void mapped(final int run, final long busAddress) {
    busAddresses[run] = busAddress;
    if (run >= mapped) {
      mapped = run + 1;
      mappedLengths[run] = lengths[run];
    }
  }

  /** Appends a run that a map returned. For the DMA core. */
  public void addRun(final long busAddress, final long bytes) {
    busAddresses[mapped] = busAddress;
    mappedLengths[mapped] = bytes;
    mapped++;
  }
}
