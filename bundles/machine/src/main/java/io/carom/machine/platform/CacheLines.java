package io.carom.machine.platform;

import java.lang.foreign.MemorySegment;

/**
 * The lines of one view of RAM by CPUs: what they read and write, and for each line what it was
 * filled with, which tells whether it is dirty. All lines are in the cache at any time: a line that
 * is invalidated is filled again at once, the worst that speculation can do to a driver that relies
 * on it being absent.
 *
 * <p>A line is dirty when it differs from what it was filled with; so a store of what was there
 * already does not make it dirty. CPUs store without any lock: what moves a line takes it into a
 * buffer once, and notes those bytes as what it was filled with, so that a later store shows.
 *
 * <p>Under the lock of the cache.
 */
final class CacheLines {
  private static final int LINE = LineMemory.LINE;

  private final MemorySegment cpu;
  private final MemorySegment filled;
  private final long base;
  private final LineMemory memory;
  private final MemorySegment line = MemorySegment.ofArray(new byte[LINE]);
  private final MemorySegment behind = MemorySegment.ofArray(new byte[LINE]);
  private long cpuLost;
  private long deviceLost;

  /**
   * Lines of a view.
   *
   * @param cpu what CPUs read and write
   * @param filled of the same size, equal to it and to the memory
   * @param base offset in RAM of its first byte, a multiple of a line
   */
  CacheLines(
      final MemorySegment cpu, final MemorySegment filled, final long base, final LineMemory memory) {
    this.cpu = cpu;
    this.filled = filled;
    this.base = base;
    this.memory = memory;
  }

  /** Whether CPUs have changed a line, by its offset in RAM. */
  boolean dirty(final long offset) {
    return differ(cpu, filled, offset - base);
  }

  /** Writes a line back if it is dirty; whether it was. It stays. */
  boolean clean(final long offset) {
    if (!dirty(offset)) {
      return false;
    }
    final long at = offset - base;
    memory.read(offset, behind);
    if (MemorySegment.mismatch(behind, 0, LINE, filled, at, at + LINE) >= 0) {
      deviceLost++; // a device wrote to the line meanwhile: written over, as lines move whole
    }
    MemorySegment.copy(cpu, at, line, 0, LINE);
    memory.write(offset, line);
    MemorySegment.copy(line, 0, filled, at, LINE);
    return true;
  }

  /** Drops a line, dirty or not, and fills it from memory. */
  void invalidate(final long offset) {
    if (dirty(offset)) {
      cpuLost++;
    }
    fill(offset);
  }

  /** Fills a line anew if it is clean, as speculation may at any time; whether it was. */
  boolean refill(final long offset) {
    if (dirty(offset)) {
      return false;
    }
    fill(offset);
    return true;
  }

  /** Dirty lines that were dropped: what CPUs wrote is lost. */
  long cpuLost() {
    return cpuLost;
  }

  /** Lines written back over what a device had written since they were filled. */
  long deviceLost() {
    return deviceLost;
  }

  private void fill(final long offset) {
    final long at = offset - base;
    memory.read(offset, line);
    if (MemorySegment.mismatch(line, 0, LINE, cpu, at, at + LINE) >= 0) {
      MemorySegment.copy(line, 0, cpu, at, LINE);
    }
    MemorySegment.copy(line, 0, filled, at, LINE);
  }

  private static boolean differ(final MemorySegment a, final MemorySegment b, final long at) {
    return MemorySegment.mismatch(a, at, at + LINE, b, at, at + LINE) >= 0;
  }
}
