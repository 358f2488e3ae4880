package io.carom.dma.core.device;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaFence;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.map.ListMapper;
import io.carom.dma.core.map.Mapper;
import io.carom.dma.core.map.Reachables;
import io.carom.dma.core.map.Revoker;
import io.carom.dma.core.map.Unmapper;
import io.carom.dma.core.memory.CoherentSpace;
import io.carom.dma.core.memory.DeviceCoherent;
import io.carom.dma.core.memory.RamCoherent;
import io.carom.dma.core.memory.RegionCoherent;
import io.carom.dma.core.memory.RegionSpace;
import io.carom.dma.core.memory.RestrictedPools;
import io.carom.dma.core.memory.RestrictedSpace;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.spi.Extent;
import io.carom.guest.PageAllocator;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A device's DMA operations: the driver-facing calls go to its {@link Mapper} and {@link Unmapper};
 * beside them the generations that it went through, and its memory.
 */
public final class DeviceDma implements DmaDevice {
  private static final long DEFAULT_SEGMENT = 64 << 10; // the kernel's

  private final DmaDeviceSpec spec;
  private final int number;
  private final CoreTables tables;
  private final DeviceEvents events;
  private final Mapper mapper;
  private final ListMapper lists;
  private final Unmapper unmapper;
  private final Revoker revoker;
  private final RestrictedPools restricted;
  private final @Nullable RegionSpace region;
  private final DeviceCoherent coherent;
  private final List<Generation> generations = new CopyOnWriteArrayList<>();
  private final ReentrantLock structure = new ReentrantLock();
  private final ClosedCounts closedCounts = new ClosedCounts();
  private int lastGeneration;
  private volatile long usedHiwater;
  private volatile Negotiation negotiation = Negotiation.NONE;
  private volatile boolean negotiated;
  private volatile boolean closed;
  private volatile @Nullable DmaFence fence;
  private volatile String driverName = "carom";
  private volatile long maxSegmentSize = DEFAULT_SEGMENT;
  private @Nullable DebugHook debug; // plain, as the calls that read it must not pay for it

  /**
   * A device without a strategy.
   *
   * @throws IllegalArgumentException when its region is misaligned or too small
   */
  public DeviceDma(
      final DmaDeviceSpec spec,
      final int number,
      final CoreTables tables,
      final PageAllocator pages,
      final RestrictedPools restricted,
      final DeviceEvents events) {
    this.spec = spec;
    this.number = number;
    this.tables = tables;
    this.restricted = restricted;
    this.events = events;
    final DmaDeviceSpec.Region own = spec.region();
    final CoherentSpace usual;
    if (own == null) {
      region = null;
      usual = new RamCoherent(spec.name(), tables.memory(), pages, spec.dmaMask());
    } else {
      checkRegion(own);
      region = tables.regions().open(own);
      usual = new RegionCoherent(spec.name(), own, region);
    }
    coherent =
        new DeviceCoherent(
            spec.name(), spec.dmaMask(), usual, this::restricted, new DomainCoherent(this));
    final Generation none = new Generation(number, 0, null, null, 0);
    none.state(Generation.State.CURRENT);
    mapper = new Mapper(tables, spec, none);
    lists = new ListMapper(mapper, tables);
    unmapper = new Unmapper(tables, spec.name(), number, mapper);
    mapper.unmapper(unmapper);
    revoker = new Revoker(tables, mapper, unmapper);
  }

  private void checkRegion(final DmaDeviceSpec.Region own) {
    if ((own.busAddress() & (Extent.SET_SIZE - 1)) != 0) {
      throw new IllegalArgumentException(
          spec.name()
              + ": region at 0x"
              + Long.toHexString(own.busAddress())
              + " is not aligned to 256 KiB");
    }
    if (own.reserveBytes() < 0 || own.memory().byteSize() - Extent.SET_SIZE < own.reserveBytes()) {
      throw new IllegalArgumentException(
          spec.name()
              + ": region of "
              + own.memory().byteSize()
              + " bytes is smaller than its reserve of "
              + own.reserveBytes()
              + " bytes plus one slot set; raise regionBytes");
    }
  }

  /** As it was described. */
  public DmaDeviceSpec spec() {
    return spec;
  }

  /** Its number in the core. */
  public int number() {
    return number;
  }

  /** Its map path. */
  public Mapper mapper() {
    return mapper;
  }

  /** The I/O buffers that its driver holds. */
  public Reachables reachables() {
    return mapper.reachables();
  }

  /** Its map path for lists. */
  public ListMapper lists() {
    return lists;
  }

  /** Its unmap path. */
  public Unmapper unmapper() {
    return unmapper;
  }

  /** Ends its mappings without its driver. */
  public Revoker revoker() {
    return revoker;
  }

  /** How its driver fences it, or null. */
  public @Nullable DmaFence fence() {
    return fence;
  }

  @Override
  public void fence(final @Nullable DmaFence value) {
    fence = value;
  }

  /** Its region, or null. */
  public @Nullable RegionSpace region() {
    return region;
  }

  /**
   * The restricted pool that it is bound to, or null: none is named for it, or it accepted
   * VIRTIO_F_SWIOTLB and so must use its own region.
   */
  public @Nullable RestrictedSpace restricted() {
    return negotiation.swiotlb() ? null : restricted.of(spec.name());
  }

  /** The restricted pool that is named for it, whether it may use it or not, or null. */
  public @Nullable RestrictedSpace namedRestricted() {
    return restricted.of(spec.name());
  }

  /** Its coherent memory. */
  public CoherentSpace coherent() {
    return coherent;
  }

  /** Its runs {address, bytes} of coherent memory in RAM, as the device sees them. */
  public List<long[]> coherentRuns() {
    final List<long[]> result = new ArrayList<>();
    for (final long[] run : coherent.runs()) {
      if (inRam(run[0])) {
        result.add(run);
      }
    }
    return result;
  }

  /** Whether a bus address is one of RAM. */
  boolean inRam(final long busAddress) {
    return tables.memory().platform().physicalAddress(busAddress, 1) >= 0;
  }

  /** Whether nothing of it is mapped or allocated yet. */
  public boolean isFresh() {
    return liveMappings() == 0 && coherent.runs().isEmpty();
  }

  /** Held for the short steps in which its generations change. */
  public ReentrantLock structure() {
    return structure;
  }

  /** Generations that are not closed, oldest first. */
  public List<Generation> generations() {
    return generations;
  }

  /** Counts of closed generations. */
  public ClosedCounts closedCounts() {
    return closedCounts;
  }

  /** What was negotiated last. */
  public Negotiation negotiation() {
    return negotiation;
  }

  /** Whether it has been negotiated, so that it may have a strategy. */
  public boolean ready() {
    return negotiated && !closed;
  }

  /** Whether the driver is done with it. */
  public boolean isClosed() {
    return closed;
  }

  /** Adds a generation and gives it its number. Under {@link #structure}. */
  public int nextGeneration() {
    return ++lastGeneration;
  }

  /** A generation begins. Under {@link #structure}. */
  public void begin(final Generation generation) {
    tables.generations().add(generation);
    generations.add(generation);
  }

  /** A generation without mappings ends: its counts become the device's. */
  public void end(final Generation generation) {
    if (generation.pool != null && generations.remove(generation)) {
      generation.state(Generation.State.CLOSED);
      closedCounts.add(generation);
      tables.generations().remove(generation);
    }
  }

  @Override
  public String name() {
    return spec.name();
  }

  @Override
  public void negotiated(final Negotiation result) {
    negotiation = Objects.requireNonNull(result);
    mapper.regionOnly(result.swiotlb());
    negotiated = true;
    events.negotiated(this);
  }

  @Override
  public void driver(final String driver) {
    driverName = Objects.requireNonNull(driver);
  }

  /** The driver's name. */
  public String driver() {
    return driverName;
  }

  @Override
  public void maxSegmentSize(final long bytes) {
    maxSegmentSize = bytes;
  }

  /** Longest entry of a list that the device takes. */
  public long maxSegmentSize() {
    return maxSegmentSize;
  }

  /** Lets calls go through dma-debug, or for null not any more. */
  public void debug(final @Nullable DebugHook hook) {
    debug = hook;
    // Callers read it plainly, and see it when their next call synchronizes with anything.
    VarHandle.fullFence();
  }

  @Override
  public long map(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    final DebugHook hook = debug;
    return hook == null
        ? mapper.map(address, size, direction, attributes)
        : hook.map(address, size, direction, attributes);
  }

  @Override
  public boolean mappingError(final long busAddress) {
    final DebugHook hook = debug;
    if (hook != null) {
      hook.checked(busAddress);
    }
    return busAddress == MAPPING_ERROR;
  }

  @Override
  public void cpuAccess(final long address, final long size, final boolean write) {
    final DebugHook hook = debug;
    if (hook != null) {
      hook.cpuAccess(address, size, write);
    }
  }

  @Override
  public void unmap(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    final DebugHook hook = debug;
    if (hook == null) {
      unmapper.unmap(busAddress, size, direction, attributes);
    } else {
      hook.unmap(busAddress, size, direction, attributes);
    }
  }

  @Override
  public void syncForCpu(final long busAddress, final long size, final DmaDirection direction) {
    sync(busAddress, size, direction, true);
  }

  @Override
  public void syncForDevice(final long busAddress, final long size, final DmaDirection direction) {
    sync(busAddress, size, direction, false);
  }

  private void sync(
      final long busAddress, final long size, final DmaDirection direction, final boolean forCpu) {
    final DebugHook hook = debug;
    if (hook == null) {
      unmapper.sync(busAddress, size, direction, forCpu);
    } else {
      hook.sync(busAddress, size, direction, forCpu);
    }
  }

  @Override
  public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    final DebugHook hook = debug;
    return hook == null
        ? SgCalls.map(mapper, lists, unmapper, maxSegmentSize, list, direction, attributes)
        : hook.mapSg(list, direction, attributes);
  }

  @Override
  public void unmapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    final DebugHook hook = debug;
    if (hook == null) {
      SgCalls.unmap(unmapper, list, direction, attributes);
    } else {
      hook.unmapSg(list, direction, attributes);
    }
  }

  @Override
  public void syncSgForCpu(final ScatterList list, final DmaDirection direction) {
    syncSg(list, direction, true);
  }

  @Override
  public void syncSgForDevice(final ScatterList list, final DmaDirection direction) {
    syncSg(list, direction, false);
  }

  private void syncSg(final ScatterList list, final DmaDirection direction, final boolean forCpu) {
    final DebugHook hook = debug;
    if (hook == null) {
      SgCalls.sync(unmapper, list, direction, forCpu);
    } else {
      hook.syncSg(list, direction, forCpu);
    }
  }

  @Override
  public CoherentBuffer allocateCoherent(final long size) {
    if (size <= 0) {
      throw new IllegalArgumentException(
          spec.name() + ": coherent size " + size + " is not positive");
    }
    final DebugHook hook = debug;
    return hook == null ? coherent.allocate(size) : hook.allocateCoherent(size);
  }

  @Override
  public void freeCoherent(final CoherentBuffer buffer) {
    final DebugHook hook = debug;
    if (hook == null) {
      coherent.free(buffer);
    } else {
      hook.freeCoherent(buffer);
    }
  }

  @Override
  public @Nullable ReachableBuffer allocateReachable(final long size) {
    if (size <= 0) {
      throw new IllegalArgumentException(
          spec.name() + ": reachable size " + size + " is not positive");
    }
    return closed ? null : mapper.allocateReachable(size);
  }

  @Override
  public void freeReachable(final ReachableBuffer buffer) {
    mapper.freeReachable(buffer);
  }

  @Override
  public long maxMappingSize() {
    return mapper.current().maxMappingSize;
  }

  @Override
  public boolean needsSync() {
    for (final Generation generation : generations) {
      if (generation.extents() != null) {
        return true;
      }
    }
    return false;
  }

  @Override
  public long liveMappings() {
    long sum = 0;
    for (final Generation generation : generations) {
      sum += generation.live();
    }
    return sum;
  }

  /** Slots of bounce memory that its mappings hold now. */
  public long usedSlots() {
    long sum = 0;
    for (final Generation generation : generations) {
      sum += generation.usedSlots();
    }
    return sum;
  }

  /** Most slots that its mappings held at a tick, or since reset. */
  public long usedHiwater() {
    return Math.max(usedHiwater, usedSlots());
  }

  /** Notes the high-water mark; called at each tick. */
  public void tick() {
    usedHiwater = usedHiwater();
  }

  /** Sets the high-water mark back to what is used now. */
  public void resetHiwater() {
    usedHiwater = usedSlots();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      events.closed(this);
    }
  }
}
