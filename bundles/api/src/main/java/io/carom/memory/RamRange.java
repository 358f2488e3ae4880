package io.carom.memory;

/**
 * One run of guest RAM.
 *
 * @param base first guest-physical address, page aligned
 * @param size bytes, a multiple of the page size
 */
public record RamRange(long base, long size) {
  /** The first address behind the range. */
  public long end() {
    return base + size; // both are below 2^48, so the sum cannot overflow
  }

  /** Whether {@code length} bytes from {@code address} all lie in this range. */
  public boolean contains(final long address, final long length) {
    return length >= 0 && address >= base && address - base <= size - length && length <= size;
  }
}
