package io.carom.dma.core;

import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.memory.LazyMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PageStateCounters;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.Platform;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;

/** A guest's memory and page allocator, as small as a test of the core needs them. */
public final class TestGuest implements GuestMemory, PageAllocator {
  private final long low;
  private final long high;
  private final boolean confidential;
  private final MemorySegment ram;
  private final BitSet used = new BitSet();
  private final BitSet shared = new BitSet();
  private long shareCalls;
  private long unshareCalls;
  private Platform platform;

  /** A guest with so many MiB below and above 4 GiB. */
  public TestGuest(final int lowMib, final int highMib, final boolean confidential) {
    low = (long) lowMib << 20;
    high = (long) highMib << 20;
    this.confidential = confidential;
    ram = LazyMemory.allocate(low + high);
    used.set(0); // page 0 is never handed out
    platform = GuestMemory.super.platform();
  }

  /** A plain guest of 64 MiB. */
  public static TestGuest plain() {
    return new TestGuest(32, 32, false);
  }

  /** Allocates a buffer in high RAM, filled with a byte. */
  public long buffer(final int size, final int fill) {
    final long address = allocate((size + 4095) / 4096, 4096, Long.MAX_VALUE);
    if (address == NONE) {
      throw new IllegalStateException("the test's guest is out of memory");
    }
    segment(address, size).fill((byte) fill);
    return address;
  }

  /** A byte of RAM. */
  public int get(final long address) {
    return ram.get(ValueLayout.JAVA_BYTE, offset(address)) & 0xff;
  }

  /** Pages allocated. */
  public synchronized long usedPages() {
    return used.cardinality();
  }

  @Override
  public List<RamRange> ranges() {
    return List.of(new RamRange(0, low), new RamRange(PhysicalLayout.HIGH_RAM_BASE, high));
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
    if (address >= 0 && length <= low && address <= low - length) {
      return address;
    }
    final long above = address - PhysicalLayout.HIGH_RAM_BASE;
    return above >= 0 && length <= high && above <= high - length ? low + above : -1;
  }

  @Override
  public MemorySegment segment(final long address, final long length) {
    return ram.asSlice(offset(address, length), length);
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
  public synchronized void share(final long address, final long pages) {
    if (confidential) {
      shareCalls++;
      final int page = (int) (offset(address) >> 12);
      shared.set(page, page + (int) pages);
    }
  }

  @Override
  public synchronized void unshare(final long address, final long pages) {
    if (confidential) {
      unshareCalls++;
      final int page = (int) (offset(address) >> 12);
      shared.clear(page, page + (int) pages);
    }
  }

  @Override
  public synchronized boolean shared(final long address) {
    return !confidential || shared.get((int) (offset(address) >> 12));
  }

  @Override
  public synchronized PageStateCounters pageStateCounters() {
    return new PageStateCounters(shareCalls, unshareCalls, shared.cardinality());
  }

  @Override
  public Platform platform() {
    return platform;
  }

  /** Puts a platform between CPUs and devices. Before anything is made of this guest. */
  public void platform(final Platform other) {
    platform = other;
  }

  @Override
  public PageMap pageMap() {
    return new PageMap() {
      @Override
      public long claim(
          final long pages, final long alignPages, final long from, final long limit) {
        throw new UnsupportedOperationException("the test allocates by itself");
      }

      @Override
      public void release(final long address, final long pages) {
        throw new UnsupportedOperationException("the test allocates by itself");
      }

      @Override
      public long totalPages() {
        return (low + high) >> 12;
      }

      @Override
      public long freePages() {
        return totalPages() - usedPages();
      }
    };
  }

  @Override
  public synchronized long allocate(final long pages, final long alignBytes, final long limit) {
    final int step = (int) (alignBytes >> 12);
    final int lowPages = (int) (low >> 12);
    if (limit > PhysicalLayout.HIGH_RAM_BASE) {
      final int found = find(lowPages, (int) ((low + high) >> 12), (int) pages, step);
      if (found >= 0) {
        return PhysicalLayout.HIGH_RAM_BASE + ((long) (found - lowPages) << 12);
      }
    }
    final int found = find(0, (int) Math.min(lowPages, limit >> 12), (int) pages, step);
    return found < 0 ? NONE : (long) found << 12;
  }

  private int find(final int from, final int to, final int pages, final int step) {
    for (int page = from; page + pages <= to; page += step) {
      final int taken = used.nextSetBit(page);
      if (taken < 0 || taken >= page + pages) {
        used.set(page, page + pages);
        return page;
      }
    }
    return -1;
  }

  @Override
  public synchronized void free(final long address, final long pages) {
    final int page = (int) (offset(address) >> 12);
    if (used.nextClearBit(page) < page + pages) {
      throw new IllegalStateException("page freed twice at 0x" + Long.toHexString(address));
    }
    used.clear(page, page + (int) pages);
  }
}
