package io.carom.guest.shim.virtio;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtioStructures.Range;
import io.carom.memory.GuestMemory;
import io.carom.memory.RegionView;
import io.carom.virtio.RegionSizing;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The region that a device's negotiation leads to, from which the guest gives it memory.
 *
 * @param whole where the device's offsets count from, as a bus address, and how much there is
 * @param part what this function uses, as a bus address
 * @param memory the bytes of the part
 * @param view how CPUs see it, or null where they cache it
 * @param offsets whether addresses on the wire are offsets
 */
record BounceRegion(
    Range whole, Range part, MemorySegment memory, @Nullable RegionView view, boolean offsets) {
  private static final long PAGE = 4096;

  /** The region of a DMB device: a shared memory region, and always offsets. */
  static BounceRegion shared(final VirtioPlatform platform, final Range range)
      throws ProbeException {
    return inBar(platform, range, range, true);
  }

  /**
   * The region of the SWIOTLB proposal.
   *
   * @param accepted whether the feature was accepted: only then addresses may be offsets
   */
  static BounceRegion of(
      final VirtioPlatform platform, final RegionPlace place, final boolean accepted)
      throws ProbeException {
    final boolean offsets = accepted && place.offsets();
    if (!place.ram()) {
      return inBar(platform, place.whole(), place.part(), offsets);
    }
    final Range range = place.whole();
    final GuestMemory ram = platform.memory();
    checkSetApart(ram, range);
    final long bus = ram.platform().busAddress(range.address(), range.length(), true);
    final Range onBus = new Range(bus, range.length(), 0);
    // past the caches, as all bounce memory in RAM is used
    final MemorySegment memory =
        ram.platform()
            .uncached()
            .asSlice(ram.offset(range.address(), range.length()), range.length());
    return new BounceRegion(onBus, onBus, memory, null, offsets);
  }

  /**
   * A region in a BAR. Where CPUs do not cache it, its bytes are those that they see: what is
   * stored and loaded there is told by {@link UncachedDma}, and flushed before the device is shown
   * it.
   */
  private static BounceRegion inBar(
      final VirtioPlatform platform, final Range whole, final Range part, final boolean offsets)
      throws ProbeException {
    final Optional<MemorySegment> memory = platform.bus().map(part.address(), part.length());
    if (memory.isEmpty()) {
      throw new ProbeException(
          "the region at 0x" + Long.toHexString(part.address()) + " is not memory");
    }
    return new BounceRegion(
        whole, part, memory.get(), platform.bus().view(part.address()).orElse(null), offsets);
  }

  /**
   * Firmware has set a region in RAM apart and shared it before the kernel ran. A device that names
   * memory which the kernel uses, or might, is not believed.
   */
  private static void checkSetApart(final GuestMemory ram, final Range range)
      throws ProbeException {
    final String where =
        "the region of "
            + range.length()
            + " bytes at 0x"
            + Long.toHexString(range.address())
            + " in RAM ";
    final boolean whole = ((range.address() | range.length()) & (PAGE - 1)) == 0;
    if (!whole || ram.offset(range.address(), range.length()) < 0) {
      throw new ProbeException(where + "is not whole pages of RAM");
    }
    final long end = range.address() + range.length(); // both are RAM's: no overflow
    final long free = ram.pageMap().claim(1, 1, range.address(), end);
    if (free >= 0) {
      ram.pageMap().release(free, 1);
      throw new ProbeException(where + "was not set apart");
    }
    for (long page = range.address(); page < end; page += PAGE) {
      if (ram.confidential() && !ram.shared(page)) {
        throw new ProbeException(where + "is private");
      }
    }
  }

  /** What the device's addresses on the wire count from. */
  long wireBase() {
    return offsets ? whole.address() : 0;
  }

  /** Whether an address of 0 on the wire would be one of this function's part. */
  boolean holdsOffsetZero() {
    return offsets && part.address() == whole.address();
  }

  /** Whether another is the same memory, addressed in the same way. */
  boolean same(final @Nullable BounceRegion other) {
    return other != null
        && whole.equals(other.whole)
        && part.equals(other.part)
        && offsets == other.offsets;
  }

  /** A device's DMA, with what CPUs have to do for memory that they do not cache. */
  DmaDevice around(final DmaDevice core) {
    return view == null
        ? core
        : new UncachedDma(core, view, part.address() - part.inBar(), part.address(), part.length());
  }

  /** As the DMA core is told of it. */
  DmaDeviceSpec.Region spec(final int queueCount, final int queueSize) {
    return new DmaDeviceSpec.Region(
        part.address(), memory, RegionSizing.reserveBytes(queueCount, queueSize));
  }
}
