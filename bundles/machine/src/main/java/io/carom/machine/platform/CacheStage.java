package io.carom.machine.platform;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Caches of CPUs that devices do not look into. CPUs read and write RAM as {@link
 * io.carom.memory.GuestMemory#ram()} shows it; devices, and CPUs that do not cache, an image of it.
 * Bytes pass from one to the other in lines of 64 bytes, when the platform maintains a run and when
 * the cache likes:
 *
 * <ul>
 *   <li><b>Maintenance.</b> {@code forDevice} cleans the lines of a run, and invalidates them where
 *       the device writes; {@code forCpu} invalidates them where the device wrote. A line that lies
 *       partly outside the run is cleaned first in either case. So of two who share a line, one of
 *       them a device, one loses: a run should begin and end with a line. Each loss is counted.
 *   <li><b>Speculation.</b> A clean line of a run that a device owns is filled again at random
 *       times, so that what was invalidated at map may be stale before the device has written.
 *   <li><b>Eviction.</b> A dirty line of such a run, or of a late one, is written back at random
 *       times, so that who maps for a device to write without cleaning may lose what it wrote.
 *   <li><b>Aliases.</b> Where lines are found by virtual address, another mapping of a page has
 *       lines of its own, see {@link VirtualAlias}.
 * </ul>
 *
 * <p>Random times are calls of the platform and accesses by devices; the generator has a seed, so a
 * test with one thread repeats.
 *
 * <p><b>Threads.</b> One lock for all of it. CPUs store without it. They must not store to a run
 * that a device owns, and no line is filled at random outside of one; writing back takes the bytes
 * once and calls dirty what is stored later. So no store is lost but those of drivers that break the
 * rule.
 */
final class CacheStage implements Stage {
  private static final int LINE = LineMemory.LINE;
  private static final int PER_MILLE = 1000;
  private static final int EVENTS = 4;

  private final LineMemory memory;
  private final CacheLines lines;
  private final MemorySegment ram;
  private final PlatformSettings settings;
  private final Random random;
  private final OwnedRuns owned = new OwnedRuns();
  private final List<VirtualAlias> aliases = new ArrayList<>();
  private long cleaned;
  private long invalidated;
  private long refilled;
  private long evicted;

  /**
   * Caches over all RAM, clean.
   *
   * @param ram what CPUs read and write
   * @param filled as large, equal to it and to the memory
   * @param memory what lies behind
   */
  CacheStage(
      final MemorySegment ram,
      final MemorySegment filled,
      final LineMemory memory,
      final PlatformSettings settings) {
    this.ram = ram;
    this.memory = memory;
    this.settings = settings;
    lines = new CacheLines(ram, filled, 0, memory);
    random = new Random(settings.seed());
  }

  @Override
  public synchronized void forDevice(
      final long offset, final long size, final boolean deviceReads, final boolean deviceWrites) {
    pass();
    final long end = offset + size; // within RAM
    for (long line = offset & -LINE; line < end; line += LINE) {
      // Also where the device only writes: what it leaves out must stay as it was.
      cleaned += lines.clean(line) ? 1 : 0;
      if (deviceWrites) {
        lines.invalidate(line);
        invalidated++;
      }
    }
    owned.add(offset, end);
    pass();
  }

  @Override
  public synchronized void forCpu(final long offset, final long size, final boolean deviceWrote) {
    pass();
    final long end = offset + size;
    for (long line = offset & -LINE; deviceWrote && line < end; line += LINE) {
      if (line < offset || line + LINE > end) {
        cleaned += lines.clean(line) ? 1 : 0;
      }
      lines.invalidate(line);
      invalidated++;
    }
    owned.remove(offset, end);
  }

  @Override
  public synchronized void accessed() {
    pass();
  }

  /** Another virtual mapping of a run of RAM, by offset; whole lines. */
  synchronized VirtualAlias alias(final long offset, final long size) {
    if (!settings.virtuallyIndexed()) {
      return new VirtualAlias(this, lines, ram.asSlice(offset, size), offset);
    }
    final MemorySegment cpu = MemorySegment.ofArray(new byte[Math.toIntExact(size)]);
    final MemorySegment filled = MemorySegment.ofArray(new byte[Math.toIntExact(size)]);
    final CacheLines own = new CacheLines(cpu, filled, offset, memory);
    for (long line = offset; line < offset + size; line += LINE) {
      own.invalidate(line);
    }
    final VirtualAlias alias = new VirtualAlias(this, own, cpu, offset);
    aliases.add(alias);
    return alias;
  }

  /** Forgets an alias; it is not evicted from any more. */
  synchronized void forget(final VirtualAlias alias) {
    aliases.remove(alias);
  }

  /** Adds what was done here to counters. */
  synchronized PlatformCounters counters(final long queued, final long overflowed) {
    return new PlatformCounters(
        cleaned,
        invalidated,
        refilled,
        evicted,
        lines.cpuLost(),
        lines.deviceLost(),
        queued,
        overflowed);
  }

  /** Time passes. */
  private void pass() {
    for (int i = 0; i < EVENTS; i++) {
      if (happens(settings.refillPerMille())) {
        final long line = owned.ownedLine(random);
        refilled += line >= 0 && lines.refill(line) ? 1 : 0;
      }
      if (happens(settings.evictPerMille())) {
        final long line = owned.touchedLine(random);
        evicted += line >= 0 && lines.clean(line) ? 1 : 0;
      }
      if (!aliases.isEmpty() && happens(settings.evictPerMille())) {
        evicted += aliases.get(random.nextInt(aliases.size())).evict(random) ? 1 : 0;
      }
    }
  }

  private boolean happens(final int perMille) {
    return perMille > 0 && random.nextInt(PER_MILLE) < perMille;
  }

  @Override
  public String text() {
    return settings.nonCoherent()
        ? "caches not coherent, refill "
            + settings.refillPerMille()
            + " and evict "
            + settings.evictPerMille()
            + " per mille, seed "
            + settings.seed()
            + (settings.virtuallyIndexed() ? ", virtually indexed" : "")
        : "caches written through";
  }
}
