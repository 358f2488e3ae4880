package io.carom.guest.shim.fake;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.Dma;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A DMA API that maps a buffer where it is, and can be told to fail, to map little at a time, and
 * to hang.
 */
public final class FakeDma implements Dma {
  private final GuestMemory memory;
  private final PageAllocator pages;

  /** Attached devices. */
  public final Map<String, Device> devices = new ConcurrentHashMap<>();

  /** How many of the next maps fail; negative for all. */
  public final AtomicInteger failMaps = new AtomicInteger();

  /** The largest mapping. */
  public volatile long maxMapping = Long.MAX_VALUE;

  /** While set, one map call waits for it. */
  public volatile @Nullable CountDownLatch hangMap;

  /** Every map hangs until this is open. */
  public volatile @Nullable CountDownLatch hangEveryMap;

  /** While set, one unmap call waits for it. */
  public volatile @Nullable CountDownLatch hangUnmap;

  /** Whether mappings are remembered; off where the memory that takes would disturb. */
  public volatile boolean bookkeeping = true;

  public FakeDma(final GuestMemory memory, final PageAllocator pages) {
    this.memory = memory;
    this.pages = pages;
  }

  @Override
  public DmaDevice attach(final DmaDeviceSpec spec) {
    final Device device = new Device(spec);
    if (devices.putIfAbsent(spec.name(), device) != null) {
      throw new IllegalStateException(spec.name() + " is attached");
    }
    return device;
  }

  private static void hang(final @Nullable CountDownLatch latch) {
    if (latch != null) {
      boolean waited = false;
      while (!waited) {
        try {
          latch.await();
          waited = true;
        } catch (final InterruptedException e) {
          // a strategy that hangs does not care
        }
      }
    }
  }

  /** A device and its mappings. */
  public final class Device implements DmaDevice {
    /** What it was attached with. */
    public final DmaDeviceSpec spec;

    /** What was said of its negotiations. */
    public final List<Negotiation> negotiations = new ArrayList<>();

    /** Live mappings by address, with their sizes; counted. */
    private final Map<Long, Integer> live = new ConcurrentHashMap<>();

    /** Maps that succeeded. */
    public final AtomicInteger maps = new AtomicInteger();

    /** Whether it was closed. */
    public volatile boolean closed;

    private final Map<Long, Long> coherent = new ConcurrentHashMap<>();
    private long regionUsed;

    Device(final DmaDeviceSpec spec) {
      this.spec = spec;
    }

    @Override
    public String name() {
      return spec.name();
    }

    @Override
    public void negotiated(final Negotiation negotiation) {
      negotiations.add(negotiation);
    }

    @Override
    public long map(
        final long address, final long size, final DmaDirection direction, final int attributes) {
      final CountDownLatch every = hangEveryMap;
      final CountDownLatch latch = every == null ? hangMap : every;
      if (latch != null) {
        hangMap = null;
        hang(latch);
      }
      if (memory.offset(address, size) < 0) {
        throw new IllegalArgumentException("not RAM");
      }
      if (size > maxMapping || failMaps.get() < 0) {
        return MAPPING_ERROR;
      }
      if (failMaps.get() > 0) {
        failMaps.decrementAndGet();
        return MAPPING_ERROR;
      }
      if (!bookkeeping) {
        return address;
      }
      live.merge(address, 1, Integer::sum);
      maps.incrementAndGet();
      return address;
    }

    @Override
    public void unmap(
        final long busAddress,
        final long size,
        final DmaDirection direction,
        final int attributes) {
      final CountDownLatch latch = hangUnmap;
      if (latch != null) {
        hangUnmap = null;
        hang(latch);
      }
      if (!bookkeeping) {
        return;
      }
      final Integer before =
          live.computeIfPresent(busAddress, (at, count) -> count == 1 ? -1 : count - 1);
      if (before == null) {
        throw new DmaUsageException(spec.name(), busAddress, "not mapped");
      }
      live.remove(busAddress, -1);
    }

    @Override
    public void syncForCpu(final long busAddress, final long size, final DmaDirection direction) {}

    @Override
    public void syncForDevice(
        final long busAddress, final long size, final DmaDirection direction) {}

    @Override
    public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void unmapSg(
        final ScatterList list, final DmaDirection direction, final int attributes) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void syncSgForCpu(final ScatterList list, final DmaDirection direction) {}

    @Override
    public void syncSgForDevice(final ScatterList list, final DmaDirection direction) {}

    @Override
    public synchronized CoherentBuffer allocateCoherent(final long size) {
      final long whole = (size + 4095) & -4096L;
      final DmaDeviceSpec.Region region = spec.region();
      if (region != null) {
        if (regionUsed + whole > region.reserveBytes()) {
          throw new DmaMemoryException("the reserve of " + region.reserveBytes() + " is used up");
        }
        final long at = regionUsed;
        regionUsed += whole;
        return new CoherentBuffer(
            region.busAddress() + at, region.memory().asSlice(at, whole).fill((byte) 0));
      }
      final long address = pages.allocate(whole / 4096, 4096, Long.MAX_VALUE);
      if (address == PageAllocator.NONE) {
        throw new DmaMemoryException("no pages");
      }
      coherent.put(address, whole / 4096);
      return new CoherentBuffer(address, memory.segment(address, whole).fill((byte) 0));
    }

    @Override
    public void freeCoherent(final CoherentBuffer buffer) {
      final Long count = coherent.remove(buffer.busAddress());
      if (count != null) {
        pages.free(buffer.busAddress(), count);
      }
    }

    @Override
    public @Nullable ReachableBuffer allocateReachable(final long size) {
      return null;
    }

    @Override
    public void freeReachable(final ReachableBuffer buffer) {
      throw new IllegalArgumentException("not a reachable buffer");
    }

    @Override
    public long maxMappingSize() {
      return maxMapping;
    }

    @Override
    public boolean needsSync() {
      return false;
    }

    @Override
    public long liveMappings() {
      return live.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public void close() {
      closed = true;
      devices.remove(spec.name(), this);
    }
  }
}
