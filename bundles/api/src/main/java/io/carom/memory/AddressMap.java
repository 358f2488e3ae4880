package io.carom.memory;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Host side of the physical address map: what answers at which guest-physical addresses besides
 * RAM. A service of the machine. Thread-safe.
 */
@ProviderType
public interface AddressMap {
  /**
   * Lets a handler answer in {@code [base, base+size)}.
   *
   * @throws IllegalArgumentException when the range is empty, wraps, or overlaps RAM or another
   *     registration that is not {@linkplain Mapping#park parked}; the message names both
   */
  Mapping registers(String name, long base, long size, MmioHandler handler);

  /**
   * Puts plain memory at {@code [base, base + memory.byteSize())}.
   *
   * @throws IllegalArgumentException as for {@link #registers}
   */
  Mapping memory(String name, long base, MemorySegment memory);

  /** Puts memory that CPUs do not cache at an address, as {@link #memory} does. */
  default Mapping view(final String name, final long base, final RegionView view) {
    return memory(name, base, view.memory());
  }

  /** A live entry of the map. */
  @ProviderType
  interface Mapping extends AutoCloseable {
    /**
     * Leaves the range to who registers it next: accesses to registers wait for a registration of
     * exactly that range, at most so long, then loads read all ones and stores are dropped; memory
     * goes on answering. A registration that overlaps it in another way ends the waiting. Between a
     * parked entry and the one that takes it over nobody finds nothing there.
     */
    default void park(final Duration timeout) {
      close();
    }

    /** Removes the entry. Idempotent. Accesses that have begun may still finish. */
    @Override
    void close();
  }
}
