package io.carom.dma.core.pool;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a stripe keeps of the extents of ended single mappings, for the next mapping that needs one:
 * what per-CPU page lists are to a page allocator. One stack for each number of pages, so the next
 * mapping gets the extent whose lines are still in the caches. Guarded by the stripe's lock.
 */
final class KeptExtents {
  private static final int PAGE_SHIFT = 12;
  private static final int MOST_PAGES = 128;
  private static final int DEPTH = 64;
  private static final long MOST_BYTES = 4L << 20;

  private final @Nullable ExtentState[] @Nullable [] stacks = new ExtentState[MOST_PAGES + 1][];
  private final int[] counts = new int[MOST_PAGES + 1];

  /** The fewest that a stack held since the last trim: so many were not needed. */
  private final int[] idle = new int[MOST_PAGES + 1];

  private long bytes;

  KeptExtents() {}

  /**
   * Takes the extent that was kept last, if it fits.
   *
   * @return null when there is none, or it does not fit
   */
  @Nullable ExtentState take(final int pages, final long alignMask, final long dmaMask) {
    if (pages > MOST_PAGES || counts[pages] == 0) {
      return null;
    }
    final ExtentState[] stack = stacks[pages];
    final int top = counts[pages] - 1;
    final ExtentState extent = stack == null ? null : stack[top];
    if (extent == null
        || (extent.extent.busAddress() & alignMask) != 0
        || Long.compareUnsigned(extent.extent.end() - 1, dmaMask) > 0) {
      return null;
    }
    counts[pages] = top; // the reference stays: storing null, and it again, would cost barriers
    idle[pages] = Math.min(idle[pages], top);
    bytes -= extent.extent.size();
    extent.kept(false);
    return extent;
  }

  /** Keeps an extent; false when there are enough. */
  boolean keep(final ExtentState extent) {
    final long size = extent.extent.size();
    final int pages = (int) (size >> PAGE_SHIFT);
    if (pages > MOST_PAGES || bytes + size > MOST_BYTES || counts[pages] == DEPTH) {
      return false;
    }
    @Nullable ExtentState[] stack = stacks[pages];
    if (stack == null) {
      stack = new ExtentState[DEPTH];
      stacks[pages] = stack;
    }
    final int top = counts[pages];
    if (stack[top] != extent) {
      stack[top] = extent;
    }
    counts[pages] = top + 1;
    bytes += size;
    extent.kept(true);
    return true;
  }

  /** Takes out an extent that goes another way. */
  void remove(final ExtentState extent) {
    final int pages = (int) (extent.extent.size() >> PAGE_SHIFT);
    final @Nullable ExtentState[] stack = stacks[pages];
    if (stack == null) {
      return;
    }
    for (int i = 0; i < counts[pages]; i++) {
      if (stack[i] == extent) {
        System.arraycopy(stack, i + 1, stack, i, counts[pages] - i - 1);
        dropTop(pages, stack);
        idle[pages] = Math.min(idle[pages], counts[pages]);
        bytes -= extent.extent.size();
        extent.kept(false);
        return;
      }
    }
  }

  /** Takes out half of what nobody needed since the last call. */
  List<ExtentState> trim() {
    return takeOut(false);
  }

  /** Takes out all. */
  List<ExtentState> flush() {
    return takeOut(true);
  }

  private List<ExtentState> takeOut(final boolean all) {
    List<ExtentState> result = List.of();
    for (int pages = 1; pages <= MOST_PAGES && bytes != 0; pages++) {
      final @Nullable ExtentState[] stack = stacks[pages];
      if (stack == null) {
        continue;
      }
      final int count = all ? counts[pages] : (idle[pages] + 1) / 2;
      for (int i = 0; i < count; i++) {
        final ExtentState extent = stack[counts[pages] - 1];
        dropTop(pages, stack);
        if (extent != null) {
          extent.kept(false);
          bytes -= extent.extent.size();
          if (result.isEmpty()) {
            result = new ArrayList<>();
          }
          result.add(extent);
        }
      }
      idle[pages] = counts[pages];
    }
    return result;
  }

  private void dropTop(final int pages, final @Nullable ExtentState[] stack) {
    counts[pages]--;
    stack[counts[pages]] = null;
  }
}
