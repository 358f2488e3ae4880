package io.carom.machine.platform;

import java.lang.foreign.MemorySegment;
import java.util.random.RandomGenerator;

/**
 * Another virtual mapping of a run of RAM. Where caches find lines by virtual address it has lines
 * of its own: what is stored through it does not show in the kernel's own mapping, and maintenance
 * of that mapping, which is all that the DMA API does, neither writes it back nor drops it. Who
 * stores through an alias must clean by it before a device reads, and who loads through one must
 * invalidate by it after a device wrote. Where caches find lines by physical address it is the
 * kernel's mapping itself.
 */
public final class VirtualAlias implements AutoCloseable {
  private final CacheStage cache;
  private final CacheLines lines;
  private final MemorySegment memory;
  private final long offset;

  VirtualAlias(
      final CacheStage cache,
      final CacheLines lines,
      final MemorySegment memory,
      final long offset) {
    this.cache = cache;
    this.lines = lines;
    this.memory = memory;
    this.offset = offset;
  }

  /** What CPUs read and write through it. */
  public MemorySegment memory() {
    return memory;
  }

  /** Writes its dirty lines back, as {@code flush_kernel_vmap_range} does. */
  public void clean() {
    synchronized (cache) {
      for (long line = offset; line < offset + memory.byteSize(); line += LineMemory.LINE) {
        lines.clean(line);
      }
    }
  }

  /** Drops its lines, as {@code invalidate_kernel_vmap_range} does. */
  public void invalidate() {
    synchronized (cache) {
      for (long line = offset; line < offset + memory.byteSize(); line += LineMemory.LINE) {
        lines.invalidate(line);
      }
    }
  }

  /** Writes one of its lines back if it is dirty. Under the cache's lock. */
  boolean evict(final RandomGenerator random) {
    final long count = memory.byteSize() >> LineMemory.SHIFT;
    return lines.clean(offset + (random.nextLong(count) << LineMemory.SHIFT));
  }

  @Override
  public void close() {
    cache.forget(this);
  }
}
