package io.carom.dma.core.device;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.map.Mapper;
import io.carom.dma.core.map.Reachables;
import io.carom.dma.core.map.Unmapper;
import io.carom.dma.core.memory.CoherentSpace;
import io.carom.dma.core.memory.RamCoherent;
import io.carom.dma.core.memory.RegionCoherent;
import io.carom.dma.core.memory.RegionSpace;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.spi.Extent;
import io.carom.guest.PageAllocator;
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
  private final DmaDeviceSpec spec;
  private final int number;
  private final CoreTables tables;
  private final DeviceEvents events;
  private final Mapper mapper;
  private final Unmapper unmapper;
  private final @Nullable RegionSpace region;
  private final CoherentSpace coherent;
  private final List<Generation> generations = new CopyOnWriteArrayList<>();
  private final ReentrantLock structure = new ReentrantLock();
  private final ClosedCounts closedCounts = new ClosedCounts();
  private int lastGeneration;
  private volatile long usedHiwater;
  private volatile Negotiation negotiation = Negotiation.NONE;
  private volatile boolean negotiated;
  private volatile boolean closed;

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
      final DeviceEvents events) {
    this.spec = spec;
    this.number = number;
    this.tables = tables;
    this.events = events;
    final DmaDeviceSpec.Region own = spec.region();
    if (own == null) {
      region = null;
      coherent = new RamCoherent(spec.name(), tables.memory(), pages, spec.dmaMask());
    } else {
      checkRegion(own);
      region = new RegionSpace(own, tables.index(), tables.extentIds());
      coherent = new RegionCoherent(spec.name(), own, region);
    }
    final Generation none = new Generation(number, 0, null, null, 0);
    none.state(Generation.State.CURRENT);
    mapper = new Mapper(tables, spec, none);
    unmapper = new Unmapper(tables, spec.name(), number);
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

  /** Its unmap path. */
  public Unmapper unmapper() {
    return unmapper;
  }

  /** Its region, or null. */
  public @Nullable RegionSpace region() {
    return region;
  }

  /** Its coherent memory. */
  public CoherentSpace coherent() {
    return coherent;
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
  public long map(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    return mapper.map(address, size, direction, attributes);
  }

  @Override
  public void unmap(
      final long busAddress, final long size, final DmaDirection direction, final int attributes) {
    unmapper.unmap(busAddress, size, direction, attributes);
  }

  @Override
  public void syncForCpu(final long busAddress, final long size, final DmaDirection direction) {
    unmapper.sync(busAddress, size, direction, true);
  }

  @Override
  public void syncForDevice(final long busAddress, final long size, final DmaDirection direction) {
    unmapper.sync(busAddress, size, direction, false);
  }

  @Override
  public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    for (int i = 0; i < list.entries(); i++) {
      // Only the first waits for a throttled pool: one that holds part of it must not wait for more.
      final long bus =
          mapper.map(list.address(i), list.length(i), direction, attributes, i == 0);
      if (bus == MAPPING_ERROR) {
        for (int j = 0; j < i; j++) {
          // Nothing was transferred, so nothing is copied back.
          unmapper.unmap(
              list.busAddress(j),
              list.length(j),
              direction,
              attributes | DmaAttributes.SKIP_CPU_SYNC);
          list.mapped(j, MAPPING_ERROR);
        }
        return 0;
      }
      list.mapped(i, bus);
    }
    return list.entries();
  }

  @Override
  public void unmapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    for (int i = 0; i < list.entries(); i++) {
      unmapper.unmap(list.busAddress(i), list.length(i), direction, attributes);
      list.mapped(i, MAPPING_ERROR);
    }
  }

  @Override
  public void syncSgForCpu(final ScatterList list, final DmaDirection direction) {
    for (int i = 0; i < list.entries(); i++) {
      unmapper.sync(list.busAddress(i), list.length(i), direction, true);
    }
  }

  @Override
  public void syncSgForDevice(final ScatterList list, final DmaDirection direction) {
    for (int i = 0; i < list.entries(); i++) {
      unmapper.sync(list.busAddress(i), list.length(i), direction, false);
    }
  }

  @Override
  public CoherentBuffer allocateCoherent(final long size) {
    if (size <= 0) {
      throw new IllegalArgumentException(
          spec.name() + ": coherent size " + size + " is not positive");
    }
    return coherent.allocate(size);
  }

  @Override
  public void freeCoherent(final CoherentBuffer buffer) {
    coherent.free(buffer);
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
      reachables().freeAll();
      events.closed(this);
    }
  }
}
