package io.carom.machine.ram;

import io.carom.machine.platform.PlatformSettings;
import io.carom.machine.platform.StagedPlatform;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PageStateCounters;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.Platform;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The guest's view of RAM: the service that puts RAM, page states and the page map together. */
public final class GuestRam implements GuestMemory {
  private static final int SHIFT = PhysicalLayout.PAGE_SHIFT;

  private final Ram ram;
  private final PageStates states;
  private final PageMap pageMap;
  private final StagedPlatform platform;
  private final BooleanSupplier quiesce;

  /**
   * RAM as a service, behind a plain platform with the same offset for all of it.
   *
   * @param quiesce waits until device accesses that have begun are over; false when one is not
   */
  public GuestRam(
      final Ram ram, final PageStates states, final long busOffset, final BooleanSupplier quiesce) {
    this(ram, states, StagedPlatform.of(ram, PlatformSettings.plain(busOffset)), quiesce);
  }

  /**
   * RAM as a service.
   *
   * @param platform the one that the ports have
   * @param quiesce waits until device accesses that have begun are over; false when one is not
   */
  public GuestRam(
      final Ram ram,
      final PageStates states,
      final StagedPlatform platform,
      final BooleanSupplier quiesce) {
    this.ram = ram;
    this.states = states;
    this.pageMap = new PageBitmap(ram);
    this.platform = platform;
    this.quiesce = quiesce;
  }

  @Override
  public List<RamRange> ranges() {
    return ram.ranges();
  }

  @Override
  public MemorySegment ram() {
    return ram.memory();
  }

  @Override
  public long offset(final long address) {
    return ram.offset(address, 1);
  }

  @Override
  public long offset(final long address, final long length) {
    return ram.offset(address, length);
  }

  @Override
  public MemorySegment segment(final long address, final long length) {
    final long offset = ram.offset(address, length);
    if (offset < 0) {
      throw new IllegalArgumentException(
          length
              + " bytes at 0x"
              + Long.toHexString(address)
              + " are not all in one RAM range of "
              + ram.ranges());
    }
    return ram.memory().asSlice(offset, length);
  }

  @Override
  public long busOffset() {
    return platform.busOffset();
  }

  @Override
  public boolean confidential() {
    return states.confidential();
  }

  @Override
  public void share(final long address, final long pages) {
    final long first = firstPage(address, pages);
    states.share(first, pages);
    platform.share(first, pages);
  }

  @Override
  public void unshare(final long address, final long pages) {
    final long first = firstPage(address, pages);
    states.unshare(first, pages);
    platform.unshare(first, pages);
    if ((states.confidential() || platform.encrypts()) && !quiesce.getAsBoolean()) {
      throw new IllegalStateException(
          pages
              + " pages at 0x"
              + Long.toHexString(address)
              + " are private now, but a device access begun before has not ended in time");
    }
  }

  @Override
  public boolean shared(final long address) {
    final long offset = ram.offset(address, 1);
    return offset >= 0 && states.shared(offset, 1);
  }

  @Override
  public PageStateCounters pageStateCounters() {
    return states.counters();
  }

  @Override
  public Platform platform() {
    return platform;
  }

  @Override
  public PageMap pageMap() {
    return pageMap;
  }

  private long firstPage(final long address, final long pages) {
    // pages is bounded by all of RAM before it is shifted, so the length cannot overflow
    final long offset =
        pages < 1 || pages > ram.size() >>> SHIFT || (address & (PhysicalLayout.PAGE_SIZE - 1)) != 0
            ? -1
            : ram.offset(address, pages << SHIFT);
    if (offset < 0) {
      throw new IllegalArgumentException(
          pages
              + " pages at 0x"
              + Long.toHexString(address)
              + " are not whole pages of RAM in "
              + ram.ranges());
    }
    return offset >>> SHIFT;
  }
}
