package io.carom.dma.core;

import io.carom.memory.GuestMemory;
import io.carom.memory.LazyMemory;
import io.carom.memory.Platform;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A platform whose devices see an image of RAM that only maintenance moves bytes to and from. */
public final class ShadowPlatform implements Platform {
  // "device" or "cpu", address+size, and what the device does
  private final List<String> calls = new ArrayList<>();

  private final GuestMemory memory;
  private final MemorySegment image;

  /** An image of a guest's RAM. */
  public ShadowPlatform(final GuestMemory memory) {
    this.memory = memory;
    image = LazyMemory.allocate(memory.ram().byteSize());
  }

  @Override
  public boolean plain() {
    return false;
  }

  @Override
  public boolean coherent() {
    return false;
  }

  @Override
  public long busAddress(final long address, final long size, final boolean shared) {
    return memory.offset(address, size) < 0 ? -1 : address;
  }

  @Override
  public long physicalAddress(final long busAddress, final long size) {
    return memory.offset(busAddress, size) < 0 ? -1 : busAddress;
  }

  @Override
  public synchronized void forDevice(
      final long address, final long size, final boolean deviceReads, final boolean deviceWrites) {
    calls.add(
        "device "
            + Long.toHexString(address)
            + "+"
            + size
            + (deviceReads ? " r" : "")
            + (deviceWrites ? " w" : ""));
    move(memory.ram(), image, address, size);
  }

  @Override
  public synchronized void forCpu(
      final long address, final long size, final boolean deviceWrote) {
    calls.add("cpu " + Long.toHexString(address) + "+" + size + (deviceWrote ? " w" : ""));
    if (deviceWrote) {
      move(image, memory.ram(), address, size);
    }
  }

  private void move(
      final MemorySegment from, final MemorySegment to, final long address, final long size) {
    final long offset = memory.offset(address, size);
    MemorySegment.copy(from, offset, to, offset, size);
  }

  @Override
  public MemorySegment uncached() {
    return image;
  }

  /** The calls since the last time this was asked. */
  public synchronized List<String> newCalls() {
    final List<String> result = List.copyOf(calls);
    calls.clear();
    return result;
  }
}
