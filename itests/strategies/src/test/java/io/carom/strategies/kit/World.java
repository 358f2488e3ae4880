package io.carom.strategies.kit;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.MappingInfo;
import io.carom.dma.Negotiation;
import io.carom.dma.PoolInfo;
import io.carom.dma.PoolOccupancy;
import io.carom.dma.SwapOptions;
import io.carom.dma.SwapPolicy;
import io.carom.dma.SwapReport;
import io.carom.dma.core.DmaCore;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.swap.IommuSettings;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.Extent;
import io.carom.memory.LazyMemory;
import io.carom.memory.PhysicalLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A guest with a real core on real memory, without OSGi, and the short words in which the proofs
 * speak of it. All strategies of the table are there; devices get the subject's by default.
 */
public final class World implements AutoCloseable {
  /** Bytes of a device's region that are its coherent reserve. */
  public static final long RESERVE = 256L << 10;

  private static final long REGION = 0x80_0000_0000L;
  private static final long REGION_DISTANCE = 1L << 30;
  private static final long LOW_REGION = PhysicalLayout.MMIO32_BASE;
  private static final long LOW_REGION_DISTANCE = 16L << 20;
  private static final long WATCHDOG_MS = 60_000;
  private static final long DRAIN_MS = 1_000;
  private static final long THROTTLE_MS = 2;
  private static final long PATIENCE_S = 20;

  private final List<Driven> devices = new ArrayList<>();
  private long regions;

  /** The guest. */
  public final Guest guest;

  /** Its IOMMU, before every device. */
  public final ProofIommu iommu;

  /** The core. */
  public final DmaCore core;

  /** What the world is about. */
  public final Subject subject;

  /** A plain guest with 64 MiB below and 64 MiB above 4 GiB, in real time. */
  public World(final Subject subject) {
    this(subject, new Guest(64, 64, false, 0), Timing.SYSTEM);
  }

  /** A world of a guest's. */
  public World(final Subject subject, final Guest guest, final Timing timing) {
    this(subject, guest, timing, IommuSettings.NONE);
  }

  /** A world with groups of devices, and devices that are not trusted. */
  public World(
      final Subject subject,
      final Guest guest,
      final Timing timing,
      final IommuSettings iommuSettings) {
    this.subject = subject;
    this.guest = guest;
    iommu = new ProofIommu(guest.ports);
    final Settings settings =
        new Settings(subject.strategy(), true, DRAIN_MS, SwapPolicy.ADOPT, WATCHDOG_MS)
            .with(THROTTLE_MS, Settings.REACHABLE_PERCENT, Lookup.DIRECT)
            .with(iommuSettings);
    core = new DmaCore(guest.memory, guest, settings, Copier.COPYING, timing);
    core.iommu(iommu);
    guest.watch((address, bytes) -> iommu.freed(address + guest.memory.busOffset(), bytes));
    int id = 0;
    for (final var entry : Strategies.table().entrySet()) {
      add(entry.getKey(), entry.getValue().get(), ++id);
    }
  }

  /** Makes a strategy available under a service id. */
  public void add(final String name, final DmaStrategy strategy, final int id) {
    core.strategyAdded(new StrategyRef(name, strategy, 0, "proof", id, 0));
  }

  /** A device without constraint for the subject: with a region of so many KiB if it needs one. */
  public Driven device(final String name, final int regionKib) {
    return device(spec(name, regionKib));
  }

  /** What {@link #device(String, int)} attaches, to be constrained further. */
  public DmaDeviceSpec spec(final String name, final int regionKib) {
    return DmaDeviceSpec.of(
        name, subject.extents() == ExtentKind.DEVICE ? region(regionKib) : null);
  }

  /** A region of so many KiB besides its reserve, poisoned. */
  public DmaDeviceSpec.Region region(final int kib) {
    return region(kib, REGION + regions++ * REGION_DISTANCE);
  }

  /** The same below 4 GiB, for at most 15 MiB. */
  public DmaDeviceSpec.Region lowRegion(final int kib) {
    return region(kib, LOW_REGION + regions++ * LOW_REGION_DISTANCE);
  }

  private static DmaDeviceSpec.Region region(final int kib, final long base) {
    final MemorySegment memory = LazyMemory.allocate(RESERVE + ((long) kib << 10));
    memory.fill(Guest.POISON);
    return new DmaDeviceSpec.Region(base, memory, RESERVE);
  }

  /** A device that uses the subject's strategy on its kind of memory. */
  public Driven device(final DmaDeviceSpec spec) {
    final boolean translated = subject.extents() == ExtentKind.IOVA;
    final Driven made = attach(spec, new Negotiation(false, translated));
    final DmaDeviceInfo info = info(made);
    if (!subject.strategy().equals(info.strategy()) || subject.extents() != info.extents()) {
      use(made, subject);
    }
    return made;
  }

  /** A device, negotiated, with the strategy that the core gave it. */
  public Driven attach(final DmaDeviceSpec spec, final Negotiation negotiation) {
    final Driven made = new Driven(this, spec);
    devices.add(made);
    made.dma.negotiated(negotiation);
    return made;
  }

  /** Swaps a device's strategy and waits for the end. */
  public SwapReport use(final Driven device, final Subject to) {
    await(() -> core.transitions().isEmpty(), "transitions end");
    try {
      return core.use(device.name(), to.strategy(), new SwapOptions(to.extents(), null, null))
          .toCompletableFuture()
          .get(PATIENCE_S, TimeUnit.SECONDS);
    } catch (final RuntimeException e) {
      throw e;
    } catch (final Exception e) {
      throw new AssertionError("no swap of " + device.name() + " to " + to, e);
    }
  }

  /** A device's counters. */
  public DmaDeviceInfo info(final Driven device) {
    return core.devices().stream()
        .filter(d -> d.device().equals(device.name()))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no device " + device.name()));
  }

  /** Whether a device gets to a buffer itself at an address, and not to a bounce. */
  public boolean inPlace(final Driven device, final long bus, final long address) {
    final long read = iommu.reach(device.name(), bus, false);
    final long behind = read >= 0 ? read : iommu.reach(device.name(), bus, true);
    return behind == address + guest.memory.busOffset();
  }

  /** Slots in use in all pools. */
  public long usedSlots() {
    return core.pools().stream().mapToLong(PoolInfo::io_tlb_used).sum();
  }

  /**
   * All pools' occupancy; a pool that ends meanwhile is left out, and one of two that share a name
   * while the first drains.
   */
  public List<PoolOccupancy> occupancies() {
    final List<PoolOccupancy> result = new ArrayList<>();
    for (final String pool : core.pools().stream().map(PoolInfo::pool).distinct().toList()) {
      occupancy(pool).ifPresent(result::add);
    }
    return result;
  }

  private Optional<PoolOccupancy> occupancy(final String pool) {
    try {
      return Optional.of(core.occupancy(pool));
    } catch (final IllegalArgumentException e) {
      return Optional.empty(); // it has ended since it was listed
    }
  }

  /** The run of slots that holds a bounce. */
  public PoolOccupancy.Run run(final long busAddress) {
    for (final PoolOccupancy pool : occupancies()) {
      for (final PoolOccupancy.Run run : pool.runs()) {
        final long first = address(run.busAddress());
        if (busAddress >= first && busAddress - first < run.slots() << Extent.SLOT_SHIFT) {
          return run;
        }
      }
    }
    throw new AssertionError("no run of slots holds 0x" + Long.toHexString(busAddress));
  }

  /** Live mappings of a device. */
  public List<MappingInfo> mappings(final Driven device) {
    return core.mappings(device.name());
  }

  /** Overwrites every slot of every pool that no mapping uses. */
  public void poisonFree() {
    for (final PoolOccupancy occupancy : occupancies()) {
      for (final PoolOccupancy.Run extent : occupancy.extents()) {
        final long first = address(extent.busAddress());
        for (long at = first;
            at < first + (extent.slots() << Extent.SLOT_SHIFT);
            at += Extent.SLOT_SIZE) {
          if (!used(occupancy, at)) {
            memory(at, Extent.SLOT_SIZE).fill(Guest.POISON);
          }
        }
      }
    }
  }

  private static boolean used(final PoolOccupancy occupancy, final long slot) {
    for (final PoolOccupancy.Run run : occupancy.runs()) {
      final long first = address(run.busAddress());
      if (slot >= first && slot - first < run.slots() << Extent.SLOT_SHIFT) {
        return true;
      }
    }
    return false;
  }

  /** The memory at a bus address, past all checks: of a region, or RAM. */
  public MemorySegment memory(final long busAddress, final long size) {
    for (final Driven device : devices) {
      final DmaDeviceSpec.Region region = device.spec.region();
      final long within = region == null ? -1 : busAddress - region.busAddress();
      if (region != null && within >= 0 && within < region.memory().byteSize()) {
        return region.memory().asSlice(within, size);
      }
    }
    return guest.platform.deviceView().asSlice(guest.platform.offset(busAddress, size), size);
  }

  /** Reads an address as the core writes it for people. */
  public static long address(final String hex) {
    return Long.parseUnsignedLong(hex.substring(2), 16);
  }

  /** Waits until something is so, at most 20 s. */
  public static void await(final BooleanSupplier condition, final String what) {
    final long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_S);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end > 0) {
        throw new AssertionError("not within " + PATIENCE_S + " s: " + what);
      }
      Thread.yield();
    }
  }

  /** The pool that a device maps into now, or null. */
  public @Nullable PoolInfo pool(final Driven device) {
    final DmaDeviceInfo info = info(device);
    for (final PoolInfo pool : core.pools()) {
      if (pool.strategy().equals(info.strategy())
          && pool.extents() == info.extents()
          && (pool.device() == null || pool.device().equals(device.name()))) {
        return pool;
      }
    }
    return null;
  }

  @Override
  public void close() {
    devices.forEach(Driven::close);
    core.close();
    if (!iommu.violations().isEmpty()) {
      throw new AssertionError(iommu.violations());
    }
  }
}
