package io.carom.dma;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A device's DMA operations: the driver's DMA API. Addresses of buffers are guest-physical (as in
 * the kernel's {@code dma_map_phys}), what the device gets are bus addresses.
 *
 * <p>Thread-safe: any thread may map, sync and unmap, also another than the one that mapped. A
 * mapping belongs to the device from map to unmap; the driver touches the buffer in between only
 * after {@link #syncForCpu} and hands it back with {@link #syncForDevice}.
 *
 * <p>A map fails as a matter of course: it returns {@link #MAPPING_ERROR}, the driver tries again
 * later. Wrong use throws {@link DmaUsageException}.
 */
@ProviderType
public interface DmaDevice extends AutoCloseable {
  /** What a failed map returns: all ones, as the kernel's {@code DMA_MAPPING_ERROR}. */
  long MAPPING_ERROR = -1L;

  /** The device's name. */
  String name();

  /**
   * Names the driver, for messages: {@code DMA-API: <driver> <device>: ...}. Until then it is
   * {@code carom}.
   */
  default void driver(final String driver) {}

  /**
   * Says how long an entry of a scatter list the device takes ({@code dma_set_max_seg_size}); 64
   * KiB until then, as in the kernel. Only looked at by dma-debug.
   */
  default void maxSegmentSize(final long bytes) {}

  /** Says what feature negotiation allowed. Call it before the first map and after a reset. */
  void negotiated(Negotiation negotiation);

  /**
   * Maps a buffer. Where it is bounced, its contents are copied in, whatever the direction.
   *
   * @param address guest-physical address of RAM, of a reachable buffer, or with MMIO of a device's
   *     memory
   * @param size bytes, at least 1
   * @param attributes bits of {@link DmaAttributes}
   * @return bus address, or {@link #MAPPING_ERROR}
   * @throws IllegalArgumentException when the buffer is empty or not RAM
   */
  long map(long address, long size, DmaDirection direction, int attributes);

  /**
   * Whether a map failed ({@code dma_mapping_error}). To be asked after each map of a single
   * buffer: dma-debug reports those who do not.
   *
   * @param busAddress what {@link #map} returned
   */
  default boolean mappingError(final long busAddress) {
    return busAddress == MAPPING_ERROR;
  }

  /**
   * Tells dma-debug that the driver is about to touch memory that may be mapped; does nothing
   * without it.
   *
   * @param address guest-physical address
   * @param size bytes
   * @param write whether it will write, else it will read
   */
  default void cpuAccess(final long address, final long size, final boolean write) {}

  /**
   * Ends a mapping; copies back what the device may have written, unless SKIP_CPU_SYNC.
   *
   * @param busAddress what {@link #map} returned
   * @param size the size that was mapped
   * @param direction the direction that was mapped
   * @throws DmaUsageException for an address that is not mapped, another size or direction
   */
  void unmap(long busAddress, long size, DmaDirection direction, int attributes);

  /**
   * Gives (part of) a buffer to the CPU: copies back what the device may have written.
   *
   * @param busAddress any address within the mapping
   * @param size bytes, within the mapping
   * @param direction the direction that was mapped
   * @throws DmaUsageException for a range that is not within one mapping, or another direction
   */
  void syncForCpu(long busAddress, long size, DmaDirection direction);

  /** Gives (part of) a buffer back to the device: copies in, except for FROM_DEVICE. */
  void syncForDevice(long busAddress, long size, DmaDirection direction);

  /**
   * Maps all entries of a list, or none.
   *
   * @return the number of runs that the device gets ({@link ScatterList#busAddress} and {@code
   *     mappedLength}), at most as many as there are entries; 0 on failure
   */
  int mapSg(ScatterList list, DmaDirection direction, int attributes);

  /** Ends the mappings of a list that {@link #mapSg} mapped. */
  void unmapSg(ScatterList list, DmaDirection direction, int attributes);

  /** Gives all entries of a mapped list to the CPU. */
  void syncSgForCpu(ScatterList list, DmaDirection direction);

  /** Gives all entries of a mapped list back to the device. */
  void syncSgForDevice(ScatterList list, DmaDirection direction);

  /**
   * Allocates coherent memory, zeroed, and aligned to the power of two at or above its size (at
   * least 4 KiB, at most 256 KiB): from the region of a device that has one, else from RAM below
   * the device's mask.
   *
   * @param size bytes, at least 1; whole pages are taken
   * @throws DmaMemoryException when there is none; the message says where and how much was asked
   */
  CoherentBuffer allocateCoherent(long size);

  /** Gives coherent memory back. */
  void freeCoherent(CoherentBuffer buffer);

  /**
   * Takes a run of this device's bounce memory as an I/O buffer of the driver: a map of any part of
   * it then passes, without a copy. Contents are undefined. The share of a pool that may be held so
   * is capped ({@code reachablePercent} of io.carom.dma.core).
   *
   * @param size bytes, at least 1
   * @return null when there is no room, the cap is reached, or the strategy does not bounce
   */
  @Nullable ReachableBuffer allocateReachable(long size);

  /**
   * Gives a reachable buffer back.
   *
   * @throws DmaUsageException when it is not one of this device's, or a mapping of it lives
   */
  void freeReachable(ReachableBuffer buffer);

  /**
   * Says how the device can be fenced; null when it cannot. Without one {@link SwapPolicy#REVOKE}
   * does as {@link SwapPolicy#QUARANTINE}.
   */
  default void fence(final @Nullable DmaFence fence) {}

  /** Largest single mapping that can succeed now, in bytes ({@code dma_max_mapping_size}). */
  long maxMappingSize();

  /** Whether sync calls do anything now: false while buffers are reached where they are. */
  boolean needsSync();

  /** Live mappings of this device. */
  long liveMappings();

  /**
   * Ends the device's use of DMA. Live mappings are reported and then belong to nobody: their
   * memory stays out of use until they are unmapped through this object, which still works.
   */
  @Override
  void close();
}
