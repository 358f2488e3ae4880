package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A device's coherent memory: from the restricted pool that it is bound to now, else from where it
 * had it always. What is allocated stays where it is, and goes back to where it came from, whatever
 * the device is bound to by then.
 */
public final class DeviceCoherent implements CoherentSpace {
  private final String device;
  private final long dmaMask;
  private final CoherentSpace usual;
  private final Supplier<@Nullable RestrictedSpace> bound;
  private final CoherentWindow window;
  private final Map<Long, Taken> restricted = new HashMap<>();
  private final Map<Long, CoherentBuffer> moved = new HashMap<>(); // by the device's address
  private final Map<Long, Long> runs = new TreeMap<>(); // the device's address to bytes

  private record Taken(RegionCoherent from, CoherentBuffer buffer) {}

  /**
   * Nothing allocated yet.
   *
   * @param dmaMask highest bus address that the device reaches
   * @param bound the restricted pool of the device, asked for each allocation
   * @param window makes what is allocated reachable
   */
  public DeviceCoherent(
      final String device,
      final long dmaMask,
      final CoherentSpace usual,
      final Supplier<@Nullable RestrictedSpace> bound,
      final CoherentWindow window) {
    this.device = device;
    this.dmaMask = dmaMask;
    this.usual = usual;
    this.bound = bound;
    this.window = window;
  }

  @Override
  public CoherentBuffer allocate(final long size) {
    final CoherentBuffer buffer = find(size);
    final long address;
    try {
      address = window.open(buffer.busAddress(), size);
    } catch (final DmaMemoryException e) {
      giveBack(buffer);
      throw e;
    }
    synchronized (this) {
      runs.put(address, size);
    }
    // The device may have entered a domain meanwhile. Who attached it has seen the run, or else has
    // told us of the domain before it looked at the runs.
    if (address == buffer.busAddress()) {
      try {
        window.open(address, size);
      } catch (final DmaMemoryException e) {
        free(buffer);
        throw e;
      }
      return buffer;
    }
    synchronized (this) {
      moved.put(address, buffer);
      return new CoherentBuffer(address, buffer.memory());
    }
  }

  /** The runs {address, bytes} that are allocated, as the device sees them. */
  public synchronized List<long[]> runs() {
    final List<long[]> result = new ArrayList<>();
    runs.forEach((address, bytes) -> result.add(new long[] {address, bytes}));
    return result;
  }

  private CoherentBuffer find(final long size) {
    while (true) {
      final RestrictedSpace space = bound.get();
      if (space == null) {
        return usual.allocate(size);
      }
      final CoherentBuffer buffer = take(space, size);
      if (buffer != null) {
        return buffer;
      }
      Thread.onSpinWait(); // it was given back this moment: the device is bound to another by now
    }
  }

  private synchronized @Nullable CoherentBuffer take(final RestrictedSpace space, final long size) {
    final CoherentBuffer buffer;
    try {
      buffer = space.coherent().allocateUnlessClosed(size);
    } catch (final DmaMemoryException e) {
      throw new DmaMemoryException(device + ": " + e.getMessage());
    }
    if (buffer == null) {
      return null;
    }
    // Inside RAM: cannot overflow. The mask may be all ones, which is more than any of them.
    if (Long.compareUnsigned(buffer.busAddress() + size - 1, dmaMask) > 0) {
      space.coherent().free(buffer);
      throw new DmaMemoryException(
          device
              + ": restricted pool "
              + space.name()
              + " lies above the device's mask 0x"
              + Long.toHexString(dmaMask)
              + "; take the device out of restrictedPools of io.carom.dma.core");
    }
    restricted.put(buffer.busAddress(), new Taken(space.coherent(), buffer));
    return buffer;
  }

  @Override
  public void free(final CoherentBuffer buffer) {
    final CoherentBuffer original;
    synchronized (this) {
      final Long bytes = runs.get(buffer.busAddress());
      if (bytes == null || bytes != buffer.size()) {
        giveBack(buffer); // says what is wrong with it
        return;
      }
      runs.remove(buffer.busAddress());
      final CoherentBuffer there = moved.remove(buffer.busAddress());
      original = there == null ? buffer : there;
    }
    // before someone else gets the pages
    window.close(original.busAddress(), buffer.busAddress(), buffer.size());
    giveBack(original);
  }

  private synchronized void giveBack(final CoherentBuffer buffer) {
    final Taken taken = restricted.get(buffer.busAddress());
    if (taken == null) {
      usual.free(buffer);
    } else if (taken.buffer.size() != buffer.size()) {
      throw new DmaUsageException(
          device,
          buffer.busAddress(),
          "device driver frees DMA memory with different size [allocated "
              + taken.buffer.size()
              + " bytes, freed "
              + buffer.size()
              + "]");
    } else {
      restricted.remove(buffer.busAddress());
      taken.from.free(buffer);
    }
  }

  @Override
  public synchronized boolean covers(final long busAddress, final long size) {
    for (final Taken taken : restricted.values()) {
      final long within = busAddress - taken.buffer.busAddress();
      if (within >= 0 && within < taken.buffer.size() && size <= taken.buffer.size() - within) {
        return true;
      }
    }
    return usual.covers(busAddress, size);
  }

  @Override
  public synchronized long used() {
    long sum = usual.used();
    for (final Taken taken : restricted.values()) {
      sum += (taken.buffer.size() + PhysicalLayout.PAGE_SIZE - 1) & -PhysicalLayout.PAGE_SIZE;
    }
    return sum;
  }
}
