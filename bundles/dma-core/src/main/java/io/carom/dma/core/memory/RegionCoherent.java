package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Coherent memory in a range of bounce memory, a device's region or a restricted pool: pages of the
 * reserve, which was set apart before any extent was granted, so a swap never has to wait for it.
 * What does not fit there takes whole slot sets that nobody owns, or fails. Memory is aligned to
 * its size, rounded up to a power of two pages; in a device's region, as far as its reserve has
 * room.
 */
public final class RegionCoherent implements CoherentSpace {
  private static final int PAGE = PhysicalLayout.PAGE_SIZE;

  private final String owner;
  private final DmaDeviceSpec.Region region;
  private final RegionSpace sets;
  private final boolean ordered;
  private final String advice;
  private final int pages;
  private final BitSet used = new BitSet();
  private final Map<Long, Integer> runs = new HashMap<>(); // pages of the reserve, by bus address
  private final Map<Long, ExtentState> beyond = new HashMap<>();
  private long usedBytes;
  private boolean closed;

  /** The reserve of a device's region, empty. */
  public RegionCoherent(
      final String device, final DmaDeviceSpec.Region region, final RegionSpace sets) {
    this(device, region, sets, false, "raise regionBytes or lower queues or queueSize");
  }

  private RegionCoherent(
      final String owner,
      final DmaDeviceSpec.Region region,
      final RegionSpace sets,
      final boolean ordered,
      final String advice) {
    this.owner = owner;
    this.region = region;
    this.sets = sets;
    this.ordered = ordered;
    this.advice = advice;
    pages = (int) (region.reserveBytes() / PAGE);
  }

  /**
   * A reserve whose allocations are aligned as the kernel's are: to their size, rounded up to a
   * power of two pages. Beyond the reserve it serves no more than one slot set at once.
   *
   * @param owner whose it is, for messages
   * @param advice what to change when it is exhausted
   */
  static RegionCoherent ordered(
      final String owner,
      final DmaDeviceSpec.Region region,
      final RegionSpace sets,
      final String advice) {
    return new RegionCoherent(owner, region, sets, true, advice);
  }

  @Override
  public CoherentBuffer allocate(final long size) {
    return Objects.requireNonNull(allocateUnlessClosed(size), "closed");
  }

  /** As {@link #allocate}, but null when the memory is no longer there. */
  synchronized @Nullable CoherentBuffer allocateUnlessClosed(final long size) {
    if (closed) {
      return null;
    }
    final long wanted = (size - 1) / PAGE + 1;
    if (wanted <= pages) {
      final int count = (int) wanted;
      final int start = find(count);
      if (start >= 0) {
        used.set(start, start + count);
        runs.put(region.busAddress() + (long) start * PAGE, count);
        return buffer((long) start * PAGE, size, (long) count * PAGE);
      }
    }
    return allocateBeyond(size);
  }

  /** First page of a free run at an allowed place, or -1. */
  private int find(final int count) {
    final int start = find(count, CoherentSpace.alignment((long) count * PAGE) / PAGE);
    // A region's reserve is sized for its queues without gaps: better there than in a slot set.
    return start >= 0 || ordered ? start : find(count, 1);
  }

  private int find(final int count, final long step) {
    final long base = region.busAddress() / PAGE;
    int start = used.nextClearBit(0);
    while (true) {
      // alignment is that of bus addresses: the region need not start at one of this order
      final long aligned = (base + start + step - 1) / step * step - base;
      if (aligned + count > pages) {
        return -1;
      }
      start = (int) aligned;
      final int taken = used.nextSetBit(start);
      if (taken < 0 || taken - start >= count) {
        return start;
      }
      start = used.nextClearBit(taken);
    }
  }

  private CoherentBuffer allocateBeyond(final long size) {
    final boolean tooBig = ordered && size > Extent.SET_SIZE;
    // At most what the region has and one set: cannot overflow.
    final long whole =
        (Math.min(size, region.memory().byteSize()) + Extent.SET_SIZE - 1)
            / Extent.SET_SIZE
            * Extent.SET_SIZE;
    final ExtentState extent = tooBig || whole < size ? null : sets.take(whole, Long.MAX_VALUE);
    if (extent == null) {
      throw new DmaMemoryException(
          owner
              + ": no "
              + size
              + " bytes of coherent memory: the reserve of "
              + region.reserveBytes()
              + " bytes has "
              + usedBytes
              + " in use and "
              + (tooBig ? "beyond it a slot set is the most" : "no slot set is free")
              + "; "
              + advice);
    }
    beyond.put(extent.extent.busAddress(), extent);
    return buffer(extent.extent.busAddress() - region.busAddress(), size, whole);
  }

  private CoherentBuffer buffer(final long offset, final long size, final long taken) {
    usedBytes += taken;
    final MemorySegment memory = region.memory().asSlice(offset, size);
    memory.fill((byte) 0);
    return new CoherentBuffer(region.busAddress() + offset, memory);
  }

  @Override
  public synchronized void free(final CoherentBuffer buffer) {
    final ExtentState extent = beyond.remove(buffer.busAddress());
    if (extent != null) {
      usedBytes -= extent.extent.size();
      sets.give(extent);
      return;
    }
    final Integer count = runs.remove(buffer.busAddress());
    if (count == null) {
      throw new DmaUsageException(
          owner,
          buffer.busAddress(),
          "device driver tries to free DMA memory it has not allocated");
    }
    final int start = (int) ((buffer.busAddress() - region.busAddress()) / PAGE);
    used.clear(start, start + count);
    usedBytes -= (long) count * PAGE;
  }

  @Override
  public synchronized boolean covers(final long busAddress, final long size) {
    for (final ExtentState extent : beyond.values()) {
      final long within = busAddress - extent.extent.busAddress();
      if (within >= 0 && within < extent.extent.size() && size <= extent.extent.size() - within) {
        return true;
      }
    }
    final long offset = busAddress - region.busAddress();
    final long reserve = (long) pages * PAGE;
    if (offset < 0 || offset >= reserve || size < 1 || size > reserve - offset) {
      return false;
    }
    final int first = (int) (offset / PAGE);
    final int last = (int) ((offset + size - 1) / PAGE);
    return used.nextClearBit(first) > last;
  }

  @Override
  public synchronized long used() {
    return usedBytes;
  }

  /**
   * Allows no allocation from now on, if none is left.
   *
   * @return whether it is closed
   */
  synchronized boolean close() {
    closed |= usedBytes == 0;
    return closed;
  }
}
