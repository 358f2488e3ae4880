package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * Coherent memory in a device's region: pages of the reserve, which was set apart before any extent
 * was granted, so a swap never has to wait for it. What does not fit there takes whole slot sets
 * that nobody owns, or fails.
 */
public final class RegionCoherent implements CoherentSpace {
  private static final int PAGE = 4096;

  private final String device;
  private final DmaDeviceSpec.Region region;
  private final RegionSpace sets;
  private final int pages;
  private final BitSet used = new BitSet();
  private final Map<Long, ExtentState> beyond = new HashMap<>();
  private long usedBytes;

  /** The reserve of a region, empty. */
  public RegionCoherent(
      final String device, final DmaDeviceSpec.Region region, final RegionSpace sets) {
    this.device = device;
    this.region = region;
    this.sets = sets;
    pages = (int) (region.reserveBytes() / PAGE);
  }

  @Override
  public synchronized CoherentBuffer allocate(final long size) {
    final int count = Math.toIntExact((size + PAGE - 1) / PAGE);
    final int align = (int) (CoherentSpace.alignment(size) / PAGE); // the region's base has more
    for (int start = 0; start + count <= pages; start += align) {
      final int taken = used.nextSetBit(start);
      if (taken < 0 || taken - start >= count) {
        used.set(start, start + count);
        return buffer((long) start * PAGE, size, (long) count * PAGE);
      }
    }
    final long whole = (size + Extent.SET_SIZE - 1) / Extent.SET_SIZE * Extent.SET_SIZE;
    final ExtentState extent = sets.take(whole, Long.MAX_VALUE);
    if (extent == null) {
      throw new DmaMemoryException(
          device
              + ": no "
              + size
              + " bytes of coherent memory: the region's reserve of "
              + region.reserveBytes()
              + " bytes has "
              + usedBytes
              + " in use and no slot set is free; raise regionBytes or lower queues or queueSize");
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
    final int start = (int) ((buffer.busAddress() - region.busAddress()) / PAGE);
    final int count = Math.toIntExact((buffer.size() + PAGE - 1) / PAGE);
    if (start < 0 || start + count > pages || used.nextClearBit(start) < start + count) {
      throw new DmaUsageException(
          device,
          buffer.busAddress(),
          "device driver tries to free DMA memory it has not allocated");
    }
    used.clear(start, start + count);
    usedBytes -= (long) count * PAGE;
  }

  @Override
  public synchronized long used() {
    return usedBytes;
  }
}
