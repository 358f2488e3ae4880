package io.carom.memory;

import java.lang.foreign.MemorySegment;

/**
 * A platform without warts but a constant offset.
 *
 * @param memory the guest's RAM
 */
record PlainPlatform(GuestMemory memory) implements Platform {
  @Override
  public boolean plain() {
    return true;
  }

  @Override
  public boolean coherent() {
    return true;
  }

  @Override
  public long busAddress(final long address, final long size, final boolean shared) {
    return memory.offset(address, size) < 0 ? -1 : address + memory.busOffset();
  }

  @Override
  public long physicalAddress(final long busAddress, final long size) {
    final long address = busAddress - memory.busOffset(); // one that wraps is not RAM
    return memory.offset(address, size) < 0 ? -1 : address;
  }

  @Override
  public void forDevice(
      final long address, final long size, final boolean deviceReads, final boolean deviceWrites) {
    // nothing lies between
  }

  @Override
  public void forCpu(final long address, final long size, final boolean deviceWrote) {
    // nothing lies between
  }

  @Override
  public MemorySegment uncached() {
    return memory.ram();
  }
}
