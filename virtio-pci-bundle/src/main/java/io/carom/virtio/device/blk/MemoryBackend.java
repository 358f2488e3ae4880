package io.carom.virtio.device.blk;

import io.carom.memory.LazyMemory;
import java.lang.foreign.MemorySegment;

/** A disk in host memory, zero at first, gone when its device is. */
public final class MemoryBackend implements BlkBackend {
  private final MemorySegment bytes;

  /** A disk of this size; memory is committed when it is first touched. */
  public MemoryBackend(final long size) {
    bytes = LazyMemory.allocate(size);
  }

  @Override
  public long size() {
    return bytes.byteSize();
  }

  @Override
  public void read(
      final long position, final MemorySegment to, final long offset, final long length) {
    MemorySegment.copy(bytes, position, to, offset, length);
  }

  @Override
  public void write(
      final long position, final MemorySegment from, final long offset, final long length) {
    MemorySegment.copy(from, offset, bytes, position, length);
  }

  @Override
  public void flush() {
    // what is written is as stable as it gets
  }

  @Override
  public String describe() {
    return "memory, " + size() + " bytes";
  }

  @Override
  public void close() {
    // freed when no queue refers to it any more
  }
}
