package io.carom.guest.shim.fake;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PageStateCounters;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.RamRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;

/** RAM from address {@link #BASE}, and an allocator that knows what was not given back. */
public final class AllocatingMemory implements GuestMemory, PageAllocator {
  /** Where it begins. */
  public static final long BASE = PhysicalLayout.HIGH_RAM_BASE;

  private final MemorySegment ram;
  private final BitSet used = new BitSet();

  /** So many bytes, none allocated. */
  public AllocatingMemory(final long bytes) {
    ram = Arena.ofAuto().allocate(bytes, PhysicalLayout.PAGE_SIZE);
  }

  /** Takes all pages but some. */
  public synchronized void takeAllBut(final int pages) {
    used.set(pages, (int) (ram.byteSize() / PhysicalLayout.PAGE_SIZE));
  }

  /** Takes everything for free again. */
  public synchronized void forget() {
    used.clear();
  }

  /** Pages that were not given back. */
  public synchronized long usedPages() {
    return used.cardinality();
  }

  @Override
  public synchronized long allocate(final long pages, final long alignBytes, final long limit) {
    final int total = (int) (ram.byteSize() / PhysicalLayout.PAGE_SIZE);
    int from = used.nextClearBit(0);
    while (from + pages <= total) {
      final int taken = used.nextSetBit(from);
      if (taken < 0 || taken >= from + pages) {
        used.set(from, from + (int) pages);
        return BASE + (long) from * PhysicalLayout.PAGE_SIZE;
      }
      from = used.nextClearBit(taken);
    }
    return NONE;
  }

  @Override
  public synchronized void free(final long address, final long pages) {
    final int from = (int) ((address - BASE) / PhysicalLayout.PAGE_SIZE);
    if (used.nextClearBit(from) < from + pages) {
      throw new IllegalStateException("not allocated: " + Long.toHexString(address));
    }
    used.clear(from, from + (int) pages);
  }

  @Override
  public List<RamRange> ranges() {
    return List.of(new RamRange(BASE, ram.byteSize()));
  }

  @Override
  public MemorySegment ram() {
    return ram;
  }

  @Override
  public long offset(final long address) {
    return address - BASE;
  }

  @Override
  public long offset(final long address, final long length) {
    return address - BASE;
  }

  @Override
  public MemorySegment segment(final long address, final long length) {
    return ram.asSlice(address - BASE, length);
  }

  @Override
  public long busOffset() {
    return 0;
  }

  @Override
  public boolean confidential() {
    return false;
  }

  @Override
  public void share(final long address, final long pages) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void unshare(final long address, final long pages) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean shared(final long address) {
    return true;
  }

  @Override
  public PageStateCounters pageStateCounters() {
    throw new UnsupportedOperationException();
  }

  @Override
  public PageMap pageMap() {
    throw new UnsupportedOperationException();
  }
}
