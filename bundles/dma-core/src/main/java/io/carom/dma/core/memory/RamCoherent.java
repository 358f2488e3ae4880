package io.carom.dma.core.memory;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Coherent memory in guest RAM below the device's mask, for a device without a region. */
public final class RamCoherent implements CoherentSpace {
  private static final Logger LOG = LoggerFactory.getLogger(RamCoherent.class);

  private final String device;
  private final GuestMemory memory;
  private final PageAllocator pages;
  private final PlatformSync platform;
  private final long limit;
  private final long dmaMask;
  private final TreeMap<Long, Long> allocated = new TreeMap<>();
  private long usedBytes;

  /**
   * Nothing allocated yet.
   *
   * @param dmaMask highest bus address that the device reaches
   */
  public RamCoherent(
      final String device,
      final GuestMemory memory,
      final PageAllocator pages,
      final long dmaMask) {
    this.device = device;
    this.memory = memory;
    this.pages = pages;
    this.dmaMask = dmaMask;
    platform = new PlatformSync(memory);
    this.limit =
        dmaMask < 0 || dmaMask > PhysicalLayout.MMIO64_BASE
            ? PhysicalLayout.MMIO64_BASE
            : dmaMask + 1 - memory.busOffset();
  }

  @Override
  public synchronized CoherentBuffer allocate(final long size) {
    final long count = (size + PhysicalLayout.PAGE_SIZE - 1) >> PhysicalLayout.PAGE_SHIFT;
    final long address = ReachablePages.allocate(
        pages, platform, count, CoherentSpace.alignment(size), limit, dmaMask);
    if (address == PageAllocator.NONE) {
      throw new DmaMemoryException(
          device
              + ": no "
              + size
              + " bytes of coherent memory below 0x"
              + Long.toHexString(limit)
              + "; raise lowRamMiB or highRamMiB of io.carom.machine");
    }
    memory.share(address, count);
    final long bytes = count << PhysicalLayout.PAGE_SHIFT;
    platform.prepare(address, bytes);
    final long bus = platform.sharedAddress(address, bytes);
    allocated.put(bus, count);
    usedBytes += bytes;
    final MemorySegment segment = platform.uncached(address, size);
    segment.fill((byte) 0);
    return new CoherentBuffer(bus, segment);
  }

  @Override
  public synchronized void free(final CoherentBuffer buffer) {
    final Long count = allocated.remove(buffer.busAddress());
    if (count == null) {
      throw new DmaUsageException(
          device,
          buffer.busAddress(),
          "device driver tries to free DMA memory it has not allocated");
    }
    final long bytes = count << PhysicalLayout.PAGE_SHIFT;
    usedBytes -= bytes;
    final long address = platform.physical(buffer.busAddress(), bytes);
    try {
      memory.unshare(address, count);
    } catch (final IllegalStateException e) {
      // The device may still be at work in there: better lost than used by two.
      LOG.warn("{}: {} pages stay out of use: {}", device, count, e.toString());
      return;
    }
    platform.restore(address, bytes);
    pages.free(address, count);
  }

  @Override
  public synchronized boolean covers(final long busAddress, final long size) {
    final Map.Entry<Long, Long> below = allocated.floorEntry(busAddress);
    return below != null
        && size <= (below.getValue() << PhysicalLayout.PAGE_SHIFT) - (busAddress - below.getKey());
  }

  @Override
  public synchronized long used() {
    return usedBytes;
  }
}
