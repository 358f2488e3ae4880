package io.carom.dma.core.domain;

import io.carom.dma.core.memory.PlatformSync;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import io.carom.memory.GuestMemory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What a domain maps one to one: coherent memory, the buffers of mappings that were made by bus
 * address, and all of RAM while a device of the domain does without IOMMU strategies.
 *
 * <p>A window is one mapping of the IOMMU, which unmaps only whole ones. It closes when no coherent
 * memory and no live mapping lies in it: {@link #sweep} is told what lives. Whoever makes a mapping
 * that needs a window records it first and then calls {@link #cover}; as both {@code cover} and
 * {@code sweep}, with the look at the records, run under this object's monitor, a sweep either sees
 * the record or has closed the window before {@code cover} opens it again. Requests are awaited
 * under the monitor; it is taken inside no stripe's lock.
 */
public final class Windows {
  private static final int READ_WRITE =
      VirtioIommuDescriptor.MAP_F_READ | VirtioIommuDescriptor.MAP_F_WRITE;

  /** All of RAM is opened in pieces of this size, so that they can close one by one. */
  private static final long CHUNK = 2L << 20;

  private static final int BATCH = 64;

  private final GuestDomain guest;
  private final PlatformSync platform;
  private final long granule;
  private final TreeMap<Long, Long> mapped = new TreeMap<>(); // start to end, bus addresses
  private final TreeMap<Long, Long> coherent = new TreeMap<>();
  private final Set<String> openers = new HashSet<>(); // devices that need all of RAM

  Windows(final GuestDomain guest, final GuestMemory memory, final long granule) {
    this.guest = guest;
    platform = new PlatformSync(memory);
    this.granule = granule;
  }

  /** Looks for what lives. Called under the monitor. */
  @FunctionalInterface
  public interface Look {
    /** Adds the runs. */
    void at(LiveRanges live);
  }

  /** Whether all RAM is mapped one to one. */
  public synchronized boolean isOpen() {
    return !openers.isEmpty();
  }

  /** Whether all RAM is mapped one to one for a device. */
  public synchronized boolean isOpen(final String device) {
    return openers.contains(device);
  }

  /** Whether there is a window that may close. */
  public synchronized boolean mayClose() {
    return openers.isEmpty() && !allCoherent();
  }

  /**
   * Makes a run reachable at its own address.
   *
   * @param mmio whether it is a device's memory
   * @return {@link IommuStatus#OK}, or why it is not
   */
  public synchronized int cover(final long start, final long bytes, final boolean mmio) {
    final long end = (start + bytes + granule - 1) & -granule; // below 2^48
    return coverGaps(start & -granule, end, mmio ? VirtioIommuDescriptor.MAP_F_MMIO : 0);
  }

  private int coverGaps(final long start, final long end, final int flags) {
    for (long at = behindWindow(start); at < end; at = behindWindow(at)) {
      final long gap = gapEnd(at, end);
      final int status = guest.map(at, at, gap - at, READ_WRITE | flags);
      if (status != IommuStatus.OK) {
        return status;
      }
      mapped.put(at, gap);
    }
    return IommuStatus.OK;
  }

  /** The address itself, or the end of the windows that hold it, one behind the other. */
  private long behindWindow(final long address) {
    long at = address;
    Map.Entry<Long, Long> window = mapped.floorEntry(at);
    while (window != null && window.getValue() > at) {
      at = window.getValue();
      window = mapped.floorEntry(at);
    }
    return at;
  }

  /** Where what no window covers ends, from an address on that none does. */
  private long gapEnd(final long address, final long end) {
    final Long next = mapped.higherKey(address);
    return next == null ? end : Math.min(end, next);
  }

  /** Covers what lives now. */
  public synchronized int coverLive(final Look look) {
    final LiveRanges live = look(look);
    for (int i = 0; i < live.count(); i++) {
      final int status = coverGaps(live.start(i), live.end(i), 0);
      if (status != IommuStatus.OK) {
        return status;
      }
    }
    return IommuStatus.OK;
  }

  private static LiveRanges look(final Look look) {
    final LiveRanges live = new LiveRanges();
    look.at(live);
    live.sort();
    return live;
  }

  /**
   * Maps all of RAM one to one, for as long as the device needs it.
   *
   * @return {@link IommuStatus#OK}; else windows that were opened close at the next sweep
   */
  public synchronized int open(final String device) {
    final long[] starts = new long[BATCH];
    final long[] lengths = new long[BATCH];
    for (final long[] run : platform.busRuns()) {
      final long end = run[0] + run[1];
      for (long at = behindWindow(run[0]); at < end; at = behindWindow(at)) {
        final long gap = gapEnd(at, end);
        int pieces = 0;
        for (long chunk = at; chunk < gap && pieces < BATCH; ) {
          final long border = Math.min(gap, (chunk & -CHUNK) + CHUNK);
          starts[pieces] = chunk;
          lengths[pieces++] = border - chunk;
          chunk = border;
        }
        final int status = guest.map(at, starts, lengths, pieces, READ_WRITE);
        if (status != IommuStatus.OK) {
          return status;
        }
        for (int i = 0; i < pieces; i++) {
          mapped.put(starts[i], starts[i] + lengths[i]);
        }
      }
    }
    openers.add(device);
    return IommuStatus.OK;
  }

  /** A device needs them no more: if no other does, the windows close as they drain. */
  public synchronized void close(final String device) {
    openers.remove(device);
  }

  /** Covers coherent memory, for as long as it is allocated. */
  public synchronized int coherent(final long start, final long bytes) {
    final long end = (start + bytes + granule - 1) & -granule; // below 2^48
    final int status = coverGaps(start & -granule, end, 0);
    if (status == IommuStatus.OK) {
      coherent.put(start & -granule, end);
    }
    return status;
  }

  /** Coherent memory is given back: nothing of it is reachable when this returns, if alone. */
  public synchronized void freed(final long start) {
    final Long end = coherent.remove(start & -granule);
    if (end == null || !openers.isEmpty()) {
      return;
    }
    final Long mappedEnd = mapped.get(start & -granule);
    if (mappedEnd != null
        && mappedEnd.equals(end)
        && guest.unmap(start & -granule, end - (start & -granule)) == IommuStatus.OK) {
      mapped.remove(start & -granule);
    }
  }

  /** Closes the windows in which nothing lives; returns how many are left that may close. */
  public synchronized int sweep(final Look look) {
    if (!mayClose()) {
      return 0;
    }
    final LiveRanges live = look(look);
    final List<Long> closing = new ArrayList<>();
    int left = 0;
    for (final Map.Entry<Long, Long> window : mapped.entrySet()) {
      if (holdsCoherent(window.getKey(), window.getValue())) {
        continue;
      }
      if (live.meets(window.getKey(), window.getValue())) {
        left++;
      } else {
        closing.add(window.getKey());
      }
    }
    if (closing.isEmpty()) {
      return left;
    }
    for (final long start : closing) {
      final Long end = mapped.get(start);
      if (end != null && guest.unmap(start, end - start) == IommuStatus.OK) {
        mapped.remove(start);
      } else {
        left++; // tried again at the next sweep
      }
    }
    return left;
  }

  private boolean allCoherent() {
    for (final Map.Entry<Long, Long> window : mapped.entrySet()) {
      if (!holdsCoherent(window.getKey(), window.getValue())) {
        return false;
      }
    }
    return true;
  }

  private boolean holdsCoherent(final long start, final long end) {
    final Map.Entry<Long, Long> before = coherent.lowerEntry(end);
    return before != null && before.getValue() > start;
  }

  /** Pages that are mapped one to one and hold no coherent memory. */
  public synchronized long pages() {
    long bytes = 0;
    for (final Map.Entry<Long, Long> window : mapped.entrySet()) {
      bytes +=
          holdsCoherent(window.getKey(), window.getValue())
              ? 0
              : window.getValue() - window.getKey();
    }
    return bytes / granule;
  }

  /** Pages of coherent memory. */
  public synchronized long coherentPages() {
    long bytes = 0;
    for (final Map.Entry<Long, Long> run : coherent.entrySet()) {
      bytes += run.getValue() - run.getKey();
    }
    return bytes / granule;
  }
}
