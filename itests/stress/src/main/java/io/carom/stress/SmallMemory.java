package io.carom.stress;

import io.carom.memory.GuestMemory;
import io.carom.memory.PageMap;
import io.carom.memory.PageStateCounters;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A few bytes of guest RAM from address 0, on the heap: cheap enough to be made for each try. */
final class SmallMemory implements GuestMemory {
  private final MemorySegment ram;

  SmallMemory(final int bytes) {
    ram = MemorySegment.ofArray(new long[bytes / Long.BYTES]);
  }

  @Override
  public List<RamRange> ranges() {
    return List.of(new RamRange(0, ram.byteSize()));
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
    final long size = ram.byteSize();
    return address >= 0 && length >= 0 && length <= size && address <= size - length ? address : -1;
  }

  @Override
  public MemorySegment segment(final long address, final long length) {
    return ram.asSlice(address, length);
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
    throw new UnsupportedOperationException("nobody allocates here");
  }
}
