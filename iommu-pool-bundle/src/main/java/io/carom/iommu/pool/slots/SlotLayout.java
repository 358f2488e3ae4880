package io.carom.iommu.pool.slots;

/**
 * How the slots of all size classes lie in one range of addresses: class {@code i} has buffers of
 * {@code granule << i}, each class has the same number {@code N} of them, and the largest class
 * comes first.
 *
 * <pre>
 *   first                                                        end = first + 255 N granules
 *   | class 7: N * 128 granules | class 6: N * 64 | ... | class 1: N * 2 | class 0: N |
 * </pre>
 *
 * <p>The range is aligned to its size rounded up to a power of two, and class {@code i} begins
 * {@code N * granule * (2^8 - 2^(i+1))} behind its start, a multiple of its buffers' size for every
 * {@code N}: no slot crosses a multiple of its own size. Counted from the <em>end</em> in units of
 * {@code N} granules, class {@code i} takes the units {@code 2^i} to {@code 2^(i+1) - 1}: the class
 * of an address is the logarithm of its unit, whatever is in use. All arithmetic is by longs;
 * addresses are below 2^63.
 *
 * @param first first address
 * @param granuleShift log2 of the granule's bytes
 * @param slots N
 */
record SlotLayout(long first, int granuleShift, int slots) {
  /** Number of size classes. */
  static final int CLASSES = 8;

  /** Granules that one slot of each class takes together. */
  static final long GRANULES = (1 << CLASSES) - 1;

  /** First address behind the range. */
  long end() {
    return first + bytes();
  }

  /** Bytes of the range. */
  long bytes() {
    return (slots * GRANULES) << granuleShift;
  }

  /** Bytes of a buffer. */
  long bufferBytes(final int sizeClass) {
    return 1L << (granuleShift + sizeClass);
  }

  /** First address of a class. */
  long base(final int sizeClass) {
    final long granules = (long) slots * ((1 << CLASSES) - (2 << sizeClass));
    return first + (granules << granuleShift);
  }

  /** First address of a slot. */
  long iova(final int sizeClass, final int slot) {
    return base(sizeClass) + ((long) slot << (granuleShift + sizeClass));
  }

  boolean holds(final long iova) {
    return iova >= first && iova < end();
  }

  /** The class whose range an address, which must be in the range, lies in. */
  int classOf(final long iova) {
    final long granules = ((end() - 1 - iova) >> granuleShift) + 1; // up to the end, from here on
    final long unit = (granules + slots - 1) / slots; // 1 to 255
    return Long.SIZE - 1 - Long.numberOfLeadingZeros(unit);
  }

  /** The slot of a class that an address lies in. */
  int slotOf(final int sizeClass, final long iova) {
    return (int) ((iova - base(sizeClass)) >> (granuleShift + sizeClass)); // below N
  }

  /** The smallest class of at least so many bytes, at least 1; {@link #CLASSES} or more: none. */
  static int classOfBytes(final long bytes, final int granuleShift) {
    return Math.max(0, Long.SIZE - Long.numberOfLeadingZeros(bytes - 1) - granuleShift);
  }
}
