package io.carom.swiotlb.recycling;

import io.carom.dma.spi.Extent;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.RunTable;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The buffers of a stripe: each an extent of its own, in use by one mapping, or free in the list of
 * its size class, or trimmed and about to go back. Guarded by the stripe's lock.
 *
 * <p>The lists are last in, first out, so what lies at a list's end was not needed for longest. Of
 * each class the least number of free buffers since the last {@link #age} is known: so many were
 * not needed. What was not needed in two ages in a row is trimmed; the working set stays.
 */
final class Buffers {
  /** No buffer. */
  static final int NONE = -1;

  private static final int LOOK = 8;
  private static final int WORD = 64;

  private final SizeClasses classes;
  private final RunTable live = new RunTable();
  private final int[] heads;
  private final int[] tails;
  private final int[] counts;
  private final int[] lows;
  private final int[] lowsBefore;
  private final long[] filled; // a bit for each class that has a free buffer

  private @Nullable Extent[] extents = new Extent[0];
  private int[] sizeClasses = new int[0];
  private int[] nexts = new int[0];
  private int[] previous = new int[0];
  private int buffers;
  private int unused = NONE; // numbers without buffer, linked by nexts
  private int trimmed = NONE;
  private int lastTrimmed = NONE;
  private long slots;

  Buffers(final SizeClasses classes) {
    this.classes = classes;
    heads = new int[classes.count()];
    tails = new int[classes.count()];
    counts = new int[classes.count()];
    lows = new int[classes.count()];
    lowsBefore = new int[classes.count()];
    filled = new long[(classes.count() + WORD - 1) / WORD];
    Arrays.fill(heads, NONE);
    Arrays.fill(tails, NONE);
  }

  /** A new buffer, in no list. */
  int add(final Extent extent, final int sizeClass) {
    if (unused == NONE) {
      final int size = Math.max(8, 2 * extents.length);
      final int old = extents.length;
      extents = Arrays.copyOf(extents, size);
      sizeClasses = Arrays.copyOf(sizeClasses, size);
      nexts = Arrays.copyOf(nexts, size);
      previous = Arrays.copyOf(previous, size);
      for (int i = size - 1; i >= old; i--) {
        nexts[i] = unused;
        unused = i;
      }
    }
    final int buffer = unused;
    unused = nexts[buffer];
    extents[buffer] = extent;
    sizeClasses[buffer] = sizeClass;
    buffers++;
    slots += extent.slots();
    live.reserve(buffers);
    return buffer;
  }

  /** Takes a free buffer of a class in which a run can lie, looking at the newest few. */
  int take(final int sizeClass, final Fit fit) {
    int buffer = heads[sizeClass];
    for (int i = 0; buffer != NONE && i < LOOK; i++) {
      if (place(buffer, fit) >= 0) {
        unlink(buffer);
        return buffer;
      }
      buffer = nexts[buffer];
    }
    return NONE;
  }

  /** The first class from one on, up to another, that has a free buffer, or {@link #NONE}. */
  int filledClass(final int from, final int to) {
    for (int word = from >> 6; word < filled.length; word++) {
      final long bits = word == from >> 6 ? filled[word] & -1L << from : filled[word];
      if (bits != 0) {
        final int sizeClass = word * WORD + Long.numberOfTrailingZeros(bits);
        return sizeClass <= to ? sizeClass : NONE;
      }
    }
    return NONE;
  }

  /** Where a run goes in a buffer, or -1. */
  long place(final int buffer, final Fit fit) {
    final Extent extent = extent(buffer);
    final long run = fit.atOrBehind(extent.busAddress());
    return run + ((long) fit.slots() << Extent.SLOT_SHIFT) <= extent.end() && fit.allows(run)
        ? run
        : -1;
  }

  /** A buffer is in use from now on. */
  void use(final int buffer, final long run) {
    live.put(run, buffer);
  }

  /** A mapping ended. */
  void release(final long run) {
    final int buffer = live.remove(run);
    if (buffer == RunTable.NONE) {
      throw new IllegalStateException("no live run at 0x" + Long.toHexString(run));
    }
    push(buffer);
  }

  /** Puts a buffer in front of the free ones of its class. */
  void push(final int buffer) {
    final int sizeClass = sizeClasses[buffer];
    final int head = heads[sizeClass];
    nexts[buffer] = head;
    previous[buffer] = NONE;
    if (head == NONE) {
      tails[sizeClass] = buffer;
      filled[sizeClass >> 6] |= 1L << sizeClass; // the shift is modulo 64
    } else {
      previous[head] = buffer;
    }
    heads[sizeClass] = buffer;
    counts[sizeClass]++;
  }

  private void unlink(final int buffer) {
    final int sizeClass = sizeClasses[buffer];
    final int before = previous[buffer];
    final int behind = nexts[buffer];
    if (before == NONE) {
      heads[sizeClass] = behind;
    } else {
      nexts[before] = behind;
    }
    if (behind == NONE) {
      tails[sizeClass] = before;
    } else {
      previous[behind] = before;
    }
    final int count = --counts[sizeClass];
    if (count == 0) {
      filled[sizeClass >> 6] &= ~(1L << sizeClass);
    }
    lows[sizeClass] = Math.min(lows[sizeClass], count);
  }

  /** Trims what was not needed since the call before the last one. */
  void age() {
    for (int c = 0; c < counts.length; c++) {
      final int idle = Math.min(lows[c], lowsBefore[c]);
      final int before = lows[c] - idle;
      trim(c, idle);
      lowsBefore[c] = before;
      lows[c] = counts[c];
    }
  }

  /** Trims half of what is free of each class, because there is no room for another class. */
  void trimHalf() {
    for (int c = 0; c < counts.length; c++) {
      trim(c, (counts[c] + 1) / 2);
      lowsBefore[c] = Math.min(lowsBefore[c], counts[c]);
    }
  }

  private void trim(final int sizeClass, final int count) {
    for (int i = 0; i < count; i++) {
      final int buffer = tails[sizeClass];
      unlink(buffer);
      nexts[buffer] = NONE;
      if (trimmed == NONE) {
        trimmed = buffer;
      } else {
        nexts[lastTrimmed] = buffer;
      }
      lastTrimmed = buffer;
    }
  }

  /** The next trimmed buffer's extent, which is forgotten, or null. */
  @Nullable Extent takeTrimmed() {
    final int buffer = trimmed;
    if (buffer == NONE) {
      return null;
    }
    trimmed = nexts[buffer];
    return forget(buffer);
  }

  private Extent forget(final int buffer) {
    final Extent extent = extent(buffer);
    extents[buffer] = null;
    nexts[buffer] = unused;
    unused = buffer;
    buffers--;
    slots -= extent.slots();
    return extent;
  }

  /** Forgets the buffer that an extent is; it is not in use. */
  void remove(final Extent extent) {
    for (int before = NONE, b = trimmed; b != NONE; before = b, b = nexts[b]) {
      if (extent(b).busAddress() == extent.busAddress()) {
        if (before == NONE) {
          trimmed = nexts[b];
        } else {
          nexts[before] = nexts[b];
        }
        lastTrimmed = lastTrimmed == b ? before : lastTrimmed;
        forget(b);
        return;
      }
    }
    for (int b = 0; b < extents.length; b++) {
      final Extent own = extents[b];
      if (own != null && own.busAddress() == extent.busAddress()) {
        unlink(b);
        forget(b);
        return;
      }
    }
    throw new IllegalStateException("no buffer at 0x" + Long.toHexString(extent.busAddress()));
  }

  private Extent extent(final int buffer) {
    final Extent extent = extents[buffer];
    if (extent == null) {
      throw new IllegalStateException("buffer " + buffer + " is forgotten");
    }
    return extent;
  }

  /** Slots of all buffers. */
  long slots() {
    return slots;
  }

  /** Bytes of the largest class with a free buffer; without the lock a little old. */
  int largestFree() {
    for (int word = filled.length - 1; word >= 0; word--) {
      final long bits = filled[word];
      if (bits != 0) {
        return classes.bytes(word * WORD + WORD - 1 - Long.numberOfLeadingZeros(bits));
      }
    }
    return 0;
  }
}
