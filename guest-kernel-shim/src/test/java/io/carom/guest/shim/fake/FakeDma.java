package io.carom.guest.shim.fake;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.Dma;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaFence;
import io.carom.dma.DmaMemoryException;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A DMA API that maps a buffer where it is, and can be told to fail, to map little at a time, to
 * throttle, and to hang.
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

  /**
   * What {@link #maxMapping} becomes right after it was asked for, as by a swap; 0 for no change.
   */
  public final AtomicLong maxMappingOnceAsked = new AtomicLong();

  /** Live mappings of a device, with those of others, from which on maps are throttled. */
  public volatile int throttleAt = Integer.MAX_VALUE;

  /** Mappings that others hold. */
  public final AtomicInteger othersLive = new AtomicInteger();

  /** How long a throttled map waits, if it may sleep. */
  public volatile long throttleNs = 2_000_000_000L;

  /** Maps that were throttled and might sleep, and those of them made with mappings alive. */
  public final AtomicInteger slept = new AtomicInteger();

  public final AtomicInteger sleptWithMappings = new AtomicInteger();

  /** Attributes of maps that failed, in their order. */
  public final List<Integer> failedAttributes = Collections.synchronizedList(new ArrayList<>());

  /** Bytes that may be taken as reachable buffers. */
  public final AtomicLong reachableRoom = new AtomicLong();

  /** Called before each map with the number of maps of the device that have succeeded. */
  public volatile IntConsumer beforeMap = maps -> {};

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

    /** Runs before it is closed. */
    public volatile Runnable closing = () -> {};

    /** Whether it was closed. */
    public volatile boolean closed;

    /** Whether it takes no coherent memory back. */
    public volatile boolean keepsCoherent;

    /** How its driver fences it. */
    public volatile @Nullable DmaFence fence;

    /** Maps of reachable buffers. */
    public final AtomicInteger passed = new AtomicInteger();

    /** Reachable buffers that are handed out. */
    public final Map<Long, ReachableBuffer> reachable = new ConcurrentHashMap<>();

    private long reachableUsed;
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
    public void fence(final @Nullable DmaFence value) {
      fence = value;
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
      beforeMap.accept(maps.get());
      final boolean pass = inReachable(address, size);
      if (!pass && memory.offset(address, size) < 0) {
        throw new IllegalArgumentException("not RAM");
      }
      if (size > maxMapping || failMaps.get() < 0) {
        return failed(attributes);
      }
      if (failMaps.get() > 0) {
        failMaps.decrementAndGet();
        return failed(attributes);
      }
      if (throttled() && !sleep(attributes)) {
        return failed(attributes);
      }
      if (bookkeeping) {
        live.merge(address, 1, Integer::sum);
        maps.incrementAndGet();
      }
      if (pass) {
        passed.incrementAndGet(); // last: who waits for it finds the mapping
      }
      return address;
    }

    private long failed(final int attributes) {
      failedAttributes.add(attributes);
      return MAPPING_ERROR;
    }

    private boolean throttled() {
      // counting takes memory, which some tests measure
      final int at = throttleAt;
      return at != Integer.MAX_VALUE && liveMappings() + othersLive.get() >= at;
    }

    /** Waits for the end of throttling, if it may; whether that came in time. */
    private boolean sleep(final int attributes) {
      if ((attributes & DmaAttributes.MAY_SLEEP) == 0) {
        return false;
      }
      slept.incrementAndGet();
      if (liveMappings() > 0) {
        sleptWithMappings.incrementAndGet();
      }
      final long start = System.nanoTime();
      while (throttled()) {
        if (System.nanoTime() - start > throttleNs) {
          return false;
        }
        LockSupport.parkNanos(100_000);
      }
      return true;
    }

    private boolean inReachable(final long address, final long size) {
      return !reachable.isEmpty()
          && reachable.values().stream()
              .anyMatch(
                  buffer ->
                      address >= buffer.address()
                          && address - buffer.address() <= buffer.memory().byteSize() - size);
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
      if (keepsCoherent) {
        throw new IllegalArgumentException("no coherent memory is taken back");
      }
      final Long count = coherent.remove(buffer.busAddress());
      if (count != null) {
        pages.free(buffer.busAddress(), count);
      }
    }

    @Override
    public @Nullable ReachableBuffer allocateReachable(final long size) {
      final long whole = (size + 4095) & -4096L;
      if (closed || reachableRoom.addAndGet(-whole) < 0) {
        reachableRoom.addAndGet(whole);
        return null;
      }
      final ReachableBuffer buffer = reachable(size, whole);
      reachable.put(buffer.address(), buffer);
      return buffer;
    }

    private synchronized ReachableBuffer reachable(final long size, final long whole) {
      final DmaDeviceSpec.Region region = spec.region();
      if (region == null) {
        final long address = pages.allocate(whole / 4096, 4096, Long.MAX_VALUE);
        return new ReachableBuffer(address, memory.segment(address, size));
      }
      final long at = region.reserveBytes() + reachableUsed; // never used again: room is what ends
      reachableUsed += whole;
      return new ReachableBuffer(region.busAddress() + at, region.memory().asSlice(at, size));
    }

    @Override
    public void freeReachable(final ReachableBuffer buffer) {
      final boolean mapped =
          live.keySet().stream()
              .anyMatch(
                  at ->
                      at >= buffer.address() && at < buffer.address() + buffer.memory().byteSize());
      if (mapped || !reachable.remove(buffer.address(), buffer)) {
        throw new DmaUsageException(spec.name(), buffer.address(), "not free to be given back");
      }
      final long whole = (buffer.memory().byteSize() + 4095) & -4096L;
      buffer.memory().fill((byte) 0xdb); // who still uses it shall notice
      reachableRoom.addAndGet(whole);
      if (spec.region() == null) {
        pages.free(buffer.address(), whole / 4096);
      }
    }

    @Override
    public long maxMappingSize() {
      final long size = maxMapping;
      final long next = maxMappingOnceAsked.getAndSet(0);
      if (next != 0) {
        maxMapping = next;
      }
      return size;
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
      closing.run();
      closed = true;
      devices.remove(spec.name(), this);
    }
  }
}
