package io.carom.machine.platform;

/**
 * A run of guest-physical addresses and where devices see it.
 *
 * @param cpuStart its first guest-physical address
 * @param dmaStart its first bus address
 * @param size bytes
 */
public record BusBank(long cpuStart, long dmaStart, long size) {
  /** Whether a run of at least one byte, by guest-physical address, lies in the bank. */
  boolean holds(final long address, final long length) {
    return within(address - cpuStart, length);
  }

  /** Whether a run of at least one byte, by bus address, lies in the bank. */
  boolean shows(final long busAddress, final long length) {
    return within(busAddress - dmaStart, length);
  }

  private boolean within(final long distance, final long length) {
    // A difference that wraps is negative or far above any size.
    return distance >= 0 && distance < size && length <= size - distance;
  }

  /** As it is written in a configuration. */
  String text() {
    return "0x"
        + Long.toHexString(cpuStart)
        + ":0x"
        + Long.toHexString(dmaStart)
        + ":0x"
        + Long.toHexString(size);
  }
}
