package io.carom.stress;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaUsageException;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.CoreTables;
import io.carom.dma.core.map.Mapper;
import io.carom.dma.core.map.Unmapper;
import io.carom.dma.core.pool.Containment;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.spi.IovaClass;
import io.carom.dma.spi.PoolSpec;
import io.carom.guest.PageAllocator;
import io.carom.iommu.IommuException;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.PoolStrategy;
import io.carom.iommu.pool.slots.Zeroing;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** One device and the real pool of its IOMMU domain. Used again from try to try. */
final class SlotKit {
  private static final int DEVICE = 1;
  private static final int PAGE = 4096;
  private static final int PAGES = 16;
  private static final long SIZE = 64;
  private static final int SLOTS = 4;
  private static final ConcurrentLinkedQueue<SlotKit> FREE = new ConcurrentLinkedQueue<>();

  private final MappedRanges iommu = new MappedRanges();
  private final DmaDomain domain;
  private final Pool pool;
  private final Generation generation;
  private final Mapper mapper;
  private final Unmapper unmapper;
  private long now;

  private SlotKit() {
    final SmallMemory memory = new SmallMemory(PAGES * PAGE);
    final CoreTables tables = CoreTables.of(memory, Copier.COPYING);
    try {
      domain =
          new DmaDomain(
              iommu, memory, new Pages(), tables.extentIds(), List.of(), 1, System::nanoTime);
    } catch (final IommuException e) {
      throw new IllegalStateException(e);
    }
    pool =
        new Pool(
            "pool",
            PoolStrategy.IOMMU_POOL,
            ExtentKind.IOVA,
            null,
            new PoolStrategy(
                    new PoolSettings(SLOTS, Zeroing.NECESSARY_ONLY, 1), new BounceLimit(PAGE))
                .open(
                    new PoolSpec(
                        null, ExtentKind.IOVA, PAGES * PAGE, 1, 0, 0, false, domain.leases())),
            domain.extents(),
            domain.index(),
            Containment.NONE);
    generation = new Generation(DEVICE, 1, PoolStrategy.IOMMU_POOL, pool, PAGE);
    tables.generations().add(generation);
    generation.state(Generation.State.CURRENT);
    mapper = new Mapper(tables, DmaDeviceSpec.of("stressed", null), generation);
    mapper.domain(domain);
    unmapper = new Unmapper(tables, "stressed", DEVICE, mapper);
  }

  /** Pages by number, each handed out alone or in a run. */
  private static final class Pages implements PageAllocator {
    private final AtomicInteger used = new AtomicInteger(3); // 0, and 1 with the buffer

    @Override
    public long allocate(final long pages, final long alignBytes, final long limit) {
      while (pages == 1) {
        final int now = used.get();
        final int page = Integer.numberOfTrailingZeros(~now);
        if (page >= PAGES) {
          return NONE;
        }
        if (used.compareAndSet(now, now | (1 << page))) {
          return (long) page * PAGE;
        }
      }
      return NONE;
    }

    @Override
    public void free(final long address, final long pages) {
      used.getAndAdd(-(1 << (int) (address / PAGE)));
    }
  }

  /** A kit without mappings. */
  static SlotKit take() {
    final SlotKit used = FREE.poll();
    return used == null ? new SlotKit() : used;
  }

  /** Maps the buffer; its bus address. */
  long map() {
    return mapper.map(PAGE, SIZE, DmaDirection.TO_DEVICE, 0);
  }

  /** Unmaps: whether the core accepted it. */
  boolean unmap(final long bus) {
    try {
      unmapper.unmap(bus, SIZE, DmaDirection.TO_DEVICE, 0);
      return true;
    } catch (final DmaUsageException e) {
      return false;
    }
  }

  /** Gives back what is idle, and disposes of it, as the core's timer does. */
  void evict() {
    pool.shrink();
    pool.tickStrategy(++now);
    for (final ExtentState extent : pool.takeDiscarded()) {
      pool.disposed(List.of(extent), domain.extents().dispose(extent) ? Set.of() : Set.of(extent));
    }
  }

  /** Whether a mapping is one that the device reaches. */
  boolean reached(final long bus) {
    return bus >= 0 && domain.index().find(bus) != null && iommu.mapped(bus & -PAGE);
  }

  /** Live mappings. */
  long live() {
    return generation.live();
  }

  /** Whether the slots of the smallest class are in one state each, so many of them in flight. */
  boolean slots(final long inFlight) {
    final IovaClass smallest = pool.instance().classes().getFirst();
    final long idle = smallest.cachedRead() + smallest.cachedWrite() + smallest.cachedReadWrite();
    return smallest.inFlight() == inFlight
        && smallest.untouched() + smallest.empty() + inFlight + idle + smallest.evicting() == SLOTS
        && pool.faults() == 0;
  }

  /** Gives the kit back, if a try left it as it should. */
  void giveBack() {
    if (live() == 0 && slots(0)) {
      FREE.add(this);
    }
  }
}
