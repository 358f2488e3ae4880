package io.carom.guest.shim.dmabench;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.IovaPoolInfo;
import io.carom.dma.MappingInfo;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.QuarantineInfo;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.dma.StrategyInfo;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapReport;
import io.carom.dma.TransitionInfo;
import io.carom.memory.GuestMemory;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/**
 * A DMA core with one pool of slots, by the kernel's rules of placement, that notes what it is
 * asked for. Everything under one lock.
 */
final class FakeCore implements Dma, DmaControl {
  static final int SET_SLOTS = 128;
  static final String POOL = "swiotlb-fixed";

  private final GuestMemory memory;
  final int slots;
  private final BitSet used = new BitSet();
  private final Map<Long, Integer> live = new HashMap<>();

  /** The attached device, if any. */
  @Nullable Device device;

  /** All devices that were attached. */
  int attached;

  /** Strategy and extents that were asked for. */
  final Set<String> uses = ConcurrentHashMap.newKeySet();

  /** Sizes that were mapped. */
  final Set<Long> sizes = ConcurrentHashMap.newKeySet();

  /** Directions that were mapped. */
  final Set<DmaDirection> directions = ConcurrentHashMap.newKeySet();

  /** First bytes that a map found in its buffer. */
  final Set<Integer> patterns = ConcurrentHashMap.newKeySet();

  /** Most slots that were in use while an unfilled map came. */
  volatile int mostUsed;

  /** Threads that mapped. */
  final Set<Thread> threads = ConcurrentHashMap.newKeySet();

  /** While set, every map waits for it. */
  volatile @Nullable CountDownLatch hang;

  /** Thrown by maps, when set. */
  volatile @Nullable RuntimeException thrown;

  private long tooBig;
  private long fragmented;
  private long full;
  private long mask;
  private long maps;
  private String strategy = POOL;

  FakeCore(final GuestMemory memory, final int slots) {
    this.memory = memory;
    this.slots = slots;
  }

  synchronized int usedSlots() {
    return used.cardinality();
  }

  synchronized int liveMappings() {
    return live.size();
  }

  synchronized long maps() {
    return maps;
  }

  @Override
  public synchronized DmaDevice attach(final DmaDeviceSpec spec) {
    if (device != null) {
      throw new IllegalStateException("device " + spec.name() + " is attached already");
    }
    attached++;
    final Device made = new Device(spec);
    device = made;
    return made;
  }

  private long place(final long size) {
    final int count = (int) ((size + 2047) / 2048);
    if (count > SET_SLOTS) {
      tooBig++;
      return DmaDevice.MAPPING_ERROR;
    }
    for (int start = 0; start + count <= slots; start++) {
      final int end = start + count;
      final int taken = used.nextSetBit(start);
      if (start / SET_SLOTS == (end - 1) / SET_SLOTS && (taken < 0 || taken >= end)) {
        used.set(start, end);
        live.put(start * 2048L, count);
        maps++;
        return start * 2048L;
      }
    }
    if (slots - used.cardinality() >= count) {
      fragmented++;
    } else {
      full++;
    }
    return DmaDevice.MAPPING_ERROR;
  }

  @Override
  public List<DmaDeviceInfo> devices() {
    synchronized (this) {
      final Device now = device;
      return now == null ? List.of() : List.of(now.info());
    }
  }

  @Override
  public synchronized List<PoolInfo> pools() {
    return strategy.equals(POOL)
        ? List.of(
            new PoolInfo(
                POOL,
                POOL,
                ExtentKind.RAM,
                null,
                "ACTIVE",
                slots,
                used.cardinality(),
                0,
                0,
                1,
                2048))
        : List.of();
  }

  @Override
  public synchronized CompletionStage<SwapReport> use(
      final String name, final String wanted, final SwapOptions options) {
    if (wanted.equals("swiotbl")) {
      throw new IllegalArgumentException("unknown strategy 'swiotbl'; valid: " + POOL);
    }
    uses.add(wanted + " " + options.extents());
    strategy = wanted;
    return CompletableFuture.completedFuture(
        new SwapReport(
            name,
            null,
            null,
            wanted,
            null,
            1,
            2,
            "DRAINED",
            1,
            1,
            1,
            0,
            0,
            0,
            0,
            0,
            "requested",
            0,
            1,
            0,
            null));
  }

  @Override
  public List<IovaPoolInfo> iovaPools() {
    return List.of();
  }

  @Override
  public List<StrategyInfo> strategies() {
    return List.of();
  }

  @Override
  public List<String> allowed(final String name) {
    return List.of(POOL);
  }

  @Override
  public CompletionStage<SwapReport> cancel(final String device) {
    throw new IllegalStateException("no swap of " + device + " is draining");
  }

  @Override
  public List<QuarantineInfo> quarantined() {
    return List.of();
  }

  @Override
  public List<TransitionInfo> transitions() {
    return List.of();
  }

  @Override
  public List<SwapReport> history() {
    return List.of();
  }

  @Override
  public PoolOccupancy occupancy(final String pool) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void resetHiwater(final @Nullable String pool) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<MappingInfo> mappings(final @Nullable String name) {
    return List.of();
  }

  /** The device. */
  final class Device implements DmaDevice {
    final DmaDeviceSpec spec;
    final Set<Negotiation> negotiations = ConcurrentHashMap.newKeySet();

    Device(final DmaDeviceSpec spec) {
      this.spec = spec;
    }

    private DmaDeviceInfo info() {
      return new DmaDeviceInfo(
          spec.name(),
          strategy,
          strategy,
          strategy.equals(POOL) ? ExtentKind.RAM : null,
          2,
          false,
          live.size(),
          maps,
          maps - live.size(),
          0,
          maps,
          0,
          0,
          tooBig + fragmented + full + mask,
          tooBig,
          fragmented,
          full,
          mask,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          used.cardinality(),
          0,
          0);
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
      final CountDownLatch latch = hang;
      if (latch != null && Thread.currentThread().getName().startsWith("dma-map-benchmark")) {
        awaitQuietly(latch);
      }
      final RuntimeException failure = thrown;
      if (failure != null) {
        throw failure;
      }
      if (Thread.currentThread().getName().startsWith("dma-map-benchmark")) {
        threads.add(Thread.currentThread());
        sizes.add(size);
        directions.add(direction);
        patterns.add(memory.segment(address, size).get(ValueLayout.JAVA_BYTE, size - 1) & 0xff);
        mostUsed = Math.max(mostUsed, usedSlots());
      }
      synchronized (FakeCore.this) {
        if (spec.dmaMask() < 0x1fffff && spec.dmaMask() > 0) {
          mask++;
          return MAPPING_ERROR;
        }
        return place(size);
      }
    }

    @Override
    public void unmap(
        final long busAddress,
        final long size,
        final DmaDirection direction,
        final int attributes) {
      synchronized (FakeCore.this) {
        final Integer count = live.remove(busAddress);
        if (count == null || count != (int) ((size + 2047) / 2048)) {
          throw new DmaUsageException(spec.name(), busAddress, "not mapped so");
        }
        used.clear((int) (busAddress / 2048), (int) (busAddress / 2048) + count);
      }
    }

    @Override
    public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
      for (int i = 0; i < list.entries(); i++) {
        final long bus = map(list.address(i), list.length(i), direction, attributes);
        if (bus == MAPPING_ERROR) {
          for (int j = 0; j < i; j++) {
            unmap(list.busAddress(j), list.length(j), direction, attributes);
          }
          return 0;
        }
        list.mapped(i, bus);
      }
      return list.entries();
    }

    @Override
    public void unmapSg(
        final ScatterList list, final DmaDirection direction, final int attributes) {
      for (int i = 0; i < list.entries(); i++) {
        unmap(list.busAddress(i), list.length(i), direction, attributes);
      }
    }

    @Override
    public void syncForCpu(final long busAddress, final long size, final DmaDirection direction) {}

    @Override
    public void syncForDevice(
        final long busAddress, final long size, final DmaDirection direction) {}

    @Override
    public void syncSgForCpu(final ScatterList list, final DmaDirection direction) {}

    @Override
    public void syncSgForDevice(final ScatterList list, final DmaDirection direction) {}

    @Override
    public CoherentBuffer allocateCoherent(final long size) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void freeCoherent(final CoherentBuffer buffer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public @Nullable ReachableBuffer allocateReachable(final long size) {
      return null;
    }

    @Override
    public void freeReachable(final ReachableBuffer buffer) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long maxMappingSize() {
      return SET_SLOTS * 2048L;
    }

    @Override
    public boolean needsSync() {
      return true;
    }

    @Override
    public long liveMappings() {
      return FakeCore.this.liveMappings();
    }

    @Override
    public void close() {
      synchronized (FakeCore.this) {
        device = null;
      }
    }
  }

  private static void awaitQuietly(final CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (final InterruptedException e) {
        // a strategy that hangs does not care
      }
    }
  }
}
