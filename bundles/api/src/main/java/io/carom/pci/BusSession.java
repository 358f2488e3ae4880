package io.carom.pci;

import java.lang.foreign.MemorySegment;
import org.osgi.annotation.versioning.ProviderType;

/**
 * One thread's use of a {@link BusPort}. Memory may be resolved and touched only inside a section,
 * between {@link #begin} and {@link #end}: whoever changes a route waits for the sections that
 * began before the change. Keep sections short: a request or a batch, never a wait.
 *
 * <p>Not thread-safe: one session per thread.
 */
@ProviderType
public interface BusSession extends AutoCloseable {
  /**
   * Begins a section. Where the IOMMU is away it waits for the next one, at most for the machine's
   * {@code iommuAbsentMs}.
   *
   * @return the route version: memory resolved under another version must be resolved again; or -1
   *     when the port is revoked and nothing may be touched (then do not call {@link #end})
   */
  long begin();

  /**
   * Whether {@link #begin} would wait now, outside of any section, as the IOMMU that translates is
   * away; see {@link BusPorts#away}. For who must not wait, as the next IOMMU may wait for him.
   */
  default boolean waits() {
    return false;
  }

  /** Ends the section. */
  void end();

  /**
   * Resolves a run of bus addresses to memory, inside a section.
   *
   * @param length at least 1
   * @return exactly {@code length} bytes, writable whatever the access (a device that writes where
   *     it may only read is caught by the IOMMU when it asks for the wrong access)
   * @throws BusFaultException when the run is not reachable as a whole; counted
   */
  MemorySegment resolve(long address, long length, BusAccess access) throws BusFaultException;

  /**
   * As {@link #resolve(long, long, BusAccess)}, without making an object.
   *
   * @param into where the run begins; what lies behind its length must not be touched
   */
  default void resolve(
      final long address, final long length, final BusAccess access, final BusRun into)
      throws BusFaultException {
    into.set(resolve(address, length, access), 0);
  }

  /**
   * Resolves a run of the function's own SWIOTLB range by its offset, wherever the range is decoded
   * now and whether it is: for devices whose driver names places by offset.
   *
   * @param offset of the first byte in the range
   * @param length at least 1
   * @param access refused to nobody; told to who watches the port
   * @throws BusFaultException when the run is not in the range as a whole, or there is no range;
   *     counted
   */
  default void resolveOwn(
      final long offset, final long length, final BusAccess access, final BusRun into)
      throws BusFaultException {
    throw new BusFaultException(BusFaultException.Reason.UNMAPPED, offset, length);
  }

  /** Bus address at which the function's own SWIOTLB range is decoded now, or -1. */
  default long ownBase() {
    return -1;
  }

  /**
   * How much of a run can be resolved as one piece, inside a section: all of it, unless an IOMMU
   * scatters it. Counts nothing and reports no fault; {@link #resolve} does.
   *
   * @param length at least 1
   * @return bytes from {@code address} on, at least 1 and at most {@code length}
   */
  default long contiguous(final long address, final long length, final BusAccess access) {
    return length;
  }

  /** Whether a run lies wholly inside the function's own SWIOTLB range. No counters change. */
  boolean inOwnRegion(long address, long length);

  /** Counts another section's use of a run that {@link #resolve} returned earlier. */
  void touched(long address);

  /**
   * Says that the runs resolved so far are not used any more, while the section goes on: to be
   * called before a driver is told that its buffers are its own again. Moves nothing; for those who
   * watch the port.
   */
  default void settled() {}

  /** Ends the session; an open section is ended. */
  @Override
  void close();
}
