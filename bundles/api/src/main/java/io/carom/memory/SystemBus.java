package io.carom.memory;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The bus as the guest's CPUs see it: loads and stores at guest-physical addresses that reach
 * device registers, config space or memory. The only way from the guest to a device besides DMA.
 *
 * <p>Values are little-endian and zero-extended. An access to an address where nothing answers
 * reads all ones and drops writes, as on PCI. Thread-safe; an access runs on the caller's thread.
 */
@ProviderType
public interface SystemBus {
  /**
   * Loads from the bus.
   *
   * @param address guest-physical, aligned to {@code width}
   * @param width 1, 2, 4 or 8 bytes
   * @throws IllegalArgumentException for another width or a misaligned address
   */
  long read(long address, int width);

  /** Stores to the bus, the counterpart of {@link #read}. */
  void write(long address, int width, long value);

  /**
   * Maps device or system memory for direct access, as {@code memremap} does.
   *
   * @return the memory, or empty when the run is not plain memory: registers, a hole, or a BAR
   *     whose decoding is off
   */
  Optional<MemorySegment> map(long address, long length);

  /**
   * How CPUs see memory that they map at an address and do not cache.
   *
   * @return the view of all the memory there, or empty where CPUs cache it coherently
   */
  default Optional<RegionView> view(final long address) {
    return Optional.empty();
  }
}
