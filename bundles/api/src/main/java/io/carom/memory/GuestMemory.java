package io.carom.memory;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The guest's RAM as its own CPUs see it; an OSGi service of the machine.
 *
 * <p>All RAM is one native segment, {@link #ram()}: low RAM first, high RAM right behind it. An
 * address becomes an offset by {@link #offset(long)}. The segment is never closed while anyone can
 * reach it, so an access through it can be wrong but never crash.
 *
 * <p>Thread-safe; the guest's accesses are not ordered by this interface, callers order them.
 */
@ProviderType
public interface GuestMemory {
  /** The RAM ranges in ascending order: low RAM, then high RAM where there is any. */
  List<RamRange> ranges();

  /** All RAM back to back, low before high, committed by the host when first touched. */
  MemorySegment ram();

  /**
   * The offset in {@link #ram()} of a guest-physical address.
   *
   * @return the offset, or -1 when the address is not RAM
   */
  long offset(long address);

  /**
   * The offset in {@link #ram()} of a run of bytes.
   *
   * @return the offset of the first byte, or -1 when not all of {@code [address, address+length)}
   *     is in one RAM range
   */
  long offset(long address, long length);

  /**
   * A view of a run of RAM.
   *
   * @throws IllegalArgumentException when not all of the run is in one RAM range
   */
  MemorySegment segment(long address, long length);

  /** What a device adds to a guest-physical address of RAM to form its bus address; usually 0. */
  long busOffset();

  /** Whether pages start private, and a device access to a private page faults. */
  boolean confidential();

  /**
   * Makes whole pages reachable for devices: the hypercall of a confidential guest. Counted once
   * per call; without {@link #confidential()} it changes and counts nothing.
   *
   * @param address page-aligned first address
   * @param pages number of pages, at least 1
   * @throws IllegalArgumentException when the pages are not all RAM or the address is not aligned
   */
  void share(long address, long pages);

  /**
   * Makes whole pages private again, the reverse of {@link #share}. Returns after device accesses
   * begun before it have ended.
   *
   * @throws IllegalArgumentException as for {@link #share}
   * @throws IllegalStateException when such an access has not ended in time; the pages are private
   *     then, but must not be used yet
   */
  void unshare(long address, long pages);

  /** Whether a device may reach the page that holds the address. */
  boolean shared(long address);

  /** How often pages were shared and unshared. */
  PageStateCounters pageStateCounters();

  /** What lies between CPUs and devices beside that; constant. */
  default Platform platform() {
    return new PlainPlatform(this);
  }

  /** The map of allocated pages; it outlives the kernel that allocates from it. */
  PageMap pageMap();
}
