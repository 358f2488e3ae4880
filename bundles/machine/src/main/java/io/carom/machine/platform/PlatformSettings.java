package io.carom.machine.platform;

import java.util.List;

/**
 * Which stages there are, checked.
 *
 * @param busOffset what devices add to addresses of RAM; 0 where there are banks
 * @param banks an offset for each bank, or none for all RAM
 * @param encryptionBit the bit in addresses, 0 for none
 * @param nonCoherent whether caches are not coherent with devices
 * @param virtuallyIndexed whether lines are found by virtual address; only with caches
 * @param refillPerMille how likely a chance of a speculative fill is taken
 * @param evictPerMille how likely a chance of an eviction is taken
 * @param writeQueueLines lines of the write queue, 0 for none
 * @param seed of what is random
 */
public record PlatformSettings(
    long busOffset,
    List<BusBank> banks,
    int encryptionBit,
    boolean nonCoherent,
    boolean virtuallyIndexed,
    int refillPerMille,
    int evictPerMille,
    int writeQueueLines,
    long seed) {
  /** How likely speculation is unless configured. */
  public static final int DEFAULT_REFILL_PER_MILLE = 250;

  /** How likely evictions are unless configured. */
  public static final int DEFAULT_EVICT_PER_MILLE = 100;

  /** Most lines of a write queue; it is searched line by line. */
  public static final int MOST_QUEUE_LINES = 4096;

  /** Lowest encryption bit: no address of the physical layout has it or one above it. */
  public static final int LOWEST_BIT = 40;

  /** Highest encryption bit: architectures have no more address bits. */
  public static final int HIGHEST_BIT = 51;

  /** No stage but an offset. */
  public static PlatformSettings plain(final long busOffset) {
    return new PlatformSettings(busOffset, List.of(), 0, false, false, 0, 0, 0, 0);
  }

  /** Caches that are written through and read through, or better. */
  boolean separate() {
    return nonCoherent || writeQueueLines > 0;
  }
}
