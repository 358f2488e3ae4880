package io.carom.memory;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What lies between the guest's CPUs and a device's view of RAM, apart from bounce buffers and the
 * IOMMU: offsets of the bus, encryption, caches that are not coherent, and buffers that combine
 * writes. The DMA core calls it; drivers do not know which of it is there. Thread-safe.
 *
 * <p>Addresses are guest-physical and of RAM; a platform without any of it is {@link #plain}, and
 * whoever asks that first pays nothing for the rest.
 */
@ProviderType
public interface Platform {
  /** Whether there is nothing to be done: bus addresses are {@code address + busOffset}. */
  boolean plain();

  /** Whether devices see what CPUs write without {@link #forDevice}, and the other way round. */
  boolean coherent();

  /**
   * The bus address of a run of RAM.
   *
   * @param shared whether the run is bounce or coherent memory, which is never encrypted
   * @return -1 when it is in no bank, or not in one
   */
  long busAddress(long address, long size, boolean shared);

  /**
   * The run of RAM at a bus address, the reverse of {@link #busAddress}.
   *
   * @return -1 when there is none
   */
  long physicalAddress(long busAddress, long size);

  /** The device gets a buffer: what CPUs have written must be where it looks. */
  void forDevice(long address, long size, boolean deviceReads, boolean deviceWrites);

  /** The CPU gets it back: what the device has written must be what CPUs read. */
  void forCpu(long address, long size, boolean deviceWrote);

  /**
   * RAM as a CPU sees it that does not cache: for coherent memory. The same as {@link
   * GuestMemory#ram()} where devices are coherent.
   */
  MemorySegment uncached();
}
