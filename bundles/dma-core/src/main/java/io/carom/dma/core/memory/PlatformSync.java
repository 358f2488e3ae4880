package io.carom.dma.core.memory;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDirection;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import io.carom.memory.Platform;
import io.carom.memory.RamRange;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What the core does for the {@link Platform} between CPUs and devices.
 *
 * <p>Buffers that a device reaches where they are (PASS and REMAP) are maintained: for the device
 * when they are mapped and synced for it, for the CPU when they are unmapped and synced for that.
 * Memory of the core's own, bounce buffers and coherent memory, is used past the caches instead, so
 * it is {@link #prepare prepared} once, and needs no more at any map: what is copied in is where the
 * device looks, and what the device wrote is what is copied out. Memory of a device is not the
 * platform's at all.
 *
 * <p>On a plain platform all of this comes to an offset, and {@link #plain} and {@link #coherent}
 * say so to whoever does not want to ask. Immutable.
 */
public final class PlatformSync {
  private static final long PAGE = PhysicalLayout.PAGE_SIZE;

  private final GuestMemory memory;
  private final Platform platform;
  private final long busOffset;
  private final boolean plain;
  private final boolean coherent;

  /** For a guest's memory. */
  public PlatformSync(final GuestMemory memory) {
    this.memory = memory;
    platform = memory.platform();
    busOffset = memory.busOffset();
    plain = platform.plain();
    coherent = platform.coherent();
  }

  /** Whether bus addresses are those of RAM plus the offset, and nothing else is to be done. */
  public boolean plain() {
    return plain;
  }

  /** Whether no buffer needs maintenance. */
  public boolean coherent() {
    return coherent;
  }

  /** The bus address of a driver's buffer in RAM, or -1. */
  public long busAddress(final long address, final long size) {
    return plain ? address + busOffset : platform.busAddress(address, size, false);
  }

  /** The bus address of bounce or coherent memory in RAM, or -1. */
  public long sharedAddress(final long address, final long size) {
    return plain ? address + busOffset : platform.busAddress(address, size, true);
  }

  /** The address in RAM of a run of bus addresses, or -1 when it is not RAM. */
  public long physical(final long busAddress, final long size) {
    return platform.physicalAddress(busAddress, size);
  }

  /** RAM as bounce and coherent memory is used. */
  public MemorySegment uncached() {
    return platform.uncached();
  }

  /** A run of RAM as bounce and coherent memory is used. */
  public MemorySegment uncached(final long address, final long size) {
    return platform.uncached().asSlice(memory.offset(address, size), size);
  }

  /**
   * Pages become bounce or coherent memory: nothing that was written to them before may be written
   * back over what is written past the caches.
   */
  public void prepare(final long address, final long size) {
    if (!coherent) {
      platform.forDevice(address, size, true, true);
    }
  }

  /** Pages are bounce or coherent memory no more. */
  public void restore(final long address, final long size) {
    if (!coherent) {
      platform.forCpu(address, size, true);
    }
  }

  /** A device gets a buffer where it is. */
  public void forDevice(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    if (!coherent && size > 0 && (attributes & DmaAttributes.SKIP_CPU_SYNC) == 0) {
      platform.forDevice(address, size, direction.toDevice(), direction.fromDevice());
    }
  }

  /** The CPU gets a buffer back; what the device wrote shows, unless that is to be skipped. */
  public void forCpu(
      final long address, final long size, final DmaDirection direction, final int attributes) {
    if (!coherent && size > 0) {
      platform.forCpu(
          address,
          size,
          direction.fromDevice() && (attributes & DmaAttributes.SKIP_CPU_SYNC) == 0);
    }
  }

  /** Passes a buffer, or part of it, to the CPU or to the device while it stays mapped. */
  public void sync(
      final long address, final long size, final DmaDirection direction, final boolean forCpu) {
    if (forCpu) {
      forCpu(address, size, direction, 0);
    } else {
      forDevice(address, size, direction, 0);
    }
  }

  /**
   * All RAM as devices may address it, as runs {bus address, bytes}: bounce memory has other
   * addresses than private memory where pages are encrypted.
   */
  public List<long[]> busRuns() {
    final List<long[]> runs = new ArrayList<>();
    for (final RamRange range : memory.ranges()) {
      if (plain) {
        runs.add(new long[] {range.base() + busOffset, range.size()});
      } else {
        addRuns(range, runs);
      }
    }
    return runs;
  }

  private void addRuns(final RamRange range, final List<long[]> runs) {
    final List<long[]> shared = new ArrayList<>();
    long[] last = {-1, 0};
    long bit = 0;
    for (long at = range.base(); at < range.end(); at += PAGE) {
      final long bus = platform.busAddress(at, PAGE, true);
      if (bus >= 0) {
        bit |= bus ^ platform.busAddress(at, PAGE, false); // 0 for pages that are shared now
        if (bus != last[0] + last[1]) {
          last = new long[] {bus, 0};
          shared.add(last);
        }
        last[1] += PAGE;
      }
    }
    runs.addAll(shared);
    for (final long[] run : shared) {
      if (bit != 0) {
        runs.add(new long[] {run[0] | bit, run[1]});
      }
    }
  }
}
