package io.carom.guest.shim.fake;

import io.carom.memory.GuestMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PageStateCounters;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** RAM: some below and some above the hole. */
public final class FakeMemory implements GuestMemory {
  /** Whether it says that pages start private. */
  public volatile boolean confidential;

  private final List<RamRange> ranges;
  private final MemorySegment ram;
  private final FakePageMap map;

  public FakeMemory(final long low, final long high) {
    ranges =
        high == 0
            ? List.of(new RamRange(0, low))
            : List.of(new RamRange(0, low), new RamRange(PhysicalLayout.HIGH_RAM_BASE, high));
    ram = Arena.ofAuto().allocate(low + high, 4096);
    map = new FakePageMap(ranges);
  }

  @Override
  public List<RamRange> ranges() {
    return ranges;
  }

  @Override
  public MemorySegment ram() {
    return ram;
  }

  @Override
  public long offset(final long address) {
    return offset(address, 1);
  }

  @Override
  public long offset(final long address, final long length) {
    long before = 0;
    for (final RamRange range : ranges) {
      if (range.contains(address, length)) {
        return before + address - range.base();
      }
      before += range.size();
    }
    return -1;
  }

  @Override
  public MemorySegment segment(final long address, final long length) {
    final long offset = offset(address, length);
    if (offset < 0) {
      throw new IllegalArgumentException("0x" + Long.toHexString(address) + " is not RAM");
    }
    return ram.asSlice(offset, length);
  }

  @Override
  public long busOffset() {
    return 0;
  }

  @Override
  public boolean confidential() {
    return confidential;
  }

  @Override
  public void share(final long address, final long pages) {}

  @Override
  public void unshare(final long address, final long pages) {}

  @Override
  public boolean shared(final long address) {
    return true;
  }

  @Override
  public PageStateCounters pageStateCounters() {
    return new PageStateCounters(0, 0, 0);
  }

  @Override
  public PageMap pageMap() {
    return map;
  }
}
