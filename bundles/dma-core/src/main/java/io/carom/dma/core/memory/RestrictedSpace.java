package io.carom.dma.core.memory;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.ExtentKind;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.spi.Extent;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory of a restricted pool: one run of guest RAM below 4 GiB, shared with the host once and
 * as a whole. Coherent memory is set apart at its start, slot sets lie behind it. Thread-safe.
 *
 * <p><b>End.</b> Whoever wants to free it claims every slot set first and closes the coherent
 * memory then. So a swap that still had it in mind finds a source without extents, and a driver one
 * without coherent memory, never memory that is somebody else's by now.
 */
public final class RestrictedSpace {
  private static final Logger LOG = LoggerFactory.getLogger(RestrictedSpace.class);
  private static final long FOUR_GIB = 1L << 32;

  private final RestrictedSpec spec;
  private final GuestMemory memory;
  private final PageAllocator pages;
  private final long address;
  private final RegionSpace sets;
  private final RegionCoherent coherent;
  private final PlatformSync platform;

  private RestrictedSpace(
      final RestrictedSpec spec,
      final GuestMemory memory,
      final PageAllocator pages,
      final ExtentIndex index,
      final AtomicInteger ids,
      final long address) {
    this.spec = spec;
    this.memory = memory;
    this.pages = pages;
    this.address = address;
    platform = new PlatformSync(memory);
    platform.prepare(address, spec.bytes());
    final DmaDeviceSpec.Region range =
        new DmaDeviceSpec.Region(
            platform.sharedAddress(address, spec.bytes()),
            platform.uncached(address, spec.bytes()),
            spec.coherentBytes());
    sets = new RegionSpace(range, ExtentKind.RAM, index, ids);
    coherent =
        RegionCoherent.ordered(
            "restricted pool " + spec.name(),
            range,
            sets,
            "raise coherent or size of it in restrictedPools of io.carom.dma.core");
  }

  /**
   * Sets memory apart.
   *
   * @throws IllegalArgumentException when there is no such run of low RAM
   */
  static RestrictedSpace create(
      final RestrictedSpec spec,
      final GuestMemory memory,
      final PageAllocator pages,
      final ExtentIndex index,
      final AtomicInteger ids) {
    final long address =
        ReachablePages.allocate(
            pages,
            new PlatformSync(memory),
            spec.bytes() >> PhysicalLayout.PAGE_SHIFT,
            Extent.SET_SIZE,
            FOUR_GIB - Math.max(0, memory.busOffset()),
            FOUR_GIB - 1);
    if (address == PageAllocator.NONE) {
      throw new IllegalArgumentException(
          RestrictedParser.PROPERTY
              + ": pool "
              + spec.name()
              + ": size="
              + spec.bytes()
              + ": No low mem: no such run below 4 GiB is free; lower size or raise lowRamMiB of"
              + " io.carom.machine");
    }
    memory.share(address, spec.bytes() >> PhysicalLayout.PAGE_SHIFT);
    if (LOG.isInfoEnabled()) {
      LOG.info(
          "software IO TLB: mapped [mem {}-{}] ({}MB), restricted pool {}",
          hex(address),
          hex(address + spec.bytes()), // RAM: cannot overflow
          spec.bytes() >> 20,
          spec.name());
    }
    return new RestrictedSpace(spec, memory, pages, index, ids, address);
  }

  private static String hex(final long value) {
    return String.format(Locale.ROOT, "0x%016x", value);
  }

  /** As it was configured. */
  RestrictedSpec spec() {
    return spec;
  }

  /** Its name. */
  public String name() {
    return spec.name();
  }

  /** Its slot sets. */
  public RegionSpace sets() {
    return sets;
  }

  /** Its coherent memory. */
  RegionCoherent coherent() {
    return coherent;
  }

  /**
   * Gives the memory back if nobody uses any of it.
   *
   * @return whether it is given back; nothing can be had from here from then on
   */
  boolean dispose() {
    if (sets.freeBytes() != sets.capacity()) {
      return false;
    }
    final List<ExtentState> claimed = claim();
    if ((long) claimed.size() << Extent.SET_SHIFT != sets.capacity() || !coherent.close()) {
      claimed.forEach(sets::give);
      return false;
    }
    sets.close();
    final long count = spec.bytes() >> PhysicalLayout.PAGE_SHIFT;
    try {
      memory.unshare(address, count);
      platform.restore(address, spec.bytes());
      pages.free(address, count);
    } catch (final IllegalStateException e) {
      // A device may still be at it: pages that are lost are better than pages that two have.
      LOG.error(
          "restricted pool {}: {} bytes stay out of use: {}", name(), spec.bytes(), e.getMessage());
    }
    return true;
  }

  private List<ExtentState> claim() {
    final List<ExtentState> claimed = new ArrayList<>();
    @Nullable ExtentState set = sets.take(Extent.SET_SIZE, Long.MAX_VALUE);
    while (set != null) {
      claimed.add(set);
      set = sets.take(Extent.SET_SIZE, Long.MAX_VALUE);
    }
    return claimed;
  }
}
