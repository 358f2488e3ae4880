package io.carom.dma.core.map;

import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.StripeLock;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tree that the review of the dynamic series suggested in place of its list: every bounce of a
 * device by its first address. Logarithmic in what is live, whoever is looked up. A treap in
 * arrays: a node's priority is a hash of its address, so the shape depends on what is in it and not
 * on the order in which it came. Entry 0 stands for none.
 */
final class RecordTree extends StripeLock implements RecordLookup {
  private static final int INITIAL = 64;

  private long[] starts = new long[INITIAL];
  private long[] ends = new long[INITIAL];
  private @Nullable ExtentState[] extents = new ExtentState[INITIAL];
  private int[] left = new int[INITIAL];
  private int[] right = new int[INITIAL];
  private int used = 1;
  private int free; // chain of entries given back, by left
  private int root;

  /** What {@link #split} left behind, beside its result. */
  private int rest;

  RecordTree() {}

  @Override
  public void add(final long start, final long size, final ExtentState extent) {
    lock(Thread.currentThread().threadId());
    try {
      final int node = node();
      starts[node] = start;
      ends[node] = start + size; // both below 2^48
      if (extents[node] != extent) {
        extents[node] = extent;
      }
      root = insert(root, node);
    } finally {
      unlock();
    }
  }

  private int node() {
    if (free != 0) {
      final int node = free;
      free = left[node];
      return node;
    }
    if (used == starts.length) {
      final int size = used * 2;
      starts = Arrays.copyOf(starts, size);
      ends = Arrays.copyOf(ends, size);
      extents = Arrays.copyOf(extents, size);
      left = Arrays.copyOf(left, size);
      right = Arrays.copyOf(right, size);
    }
    return used++;
  }

  private int insert(final int tree, final int node) {
    if (tree == 0 || priority(node) > priority(tree)) {
      left[node] = split(tree, starts[node]);
      right[node] = rest;
      return node;
    }
    if (starts[node] < starts[tree]) {
      left[tree] = insert(left[tree], node);
    } else {
      right[tree] = insert(right[tree], node);
    }
    return tree;
  }

  /** Splits a tree: returns what begins below an address, and leaves the others in rest. */
  private int split(final int tree, final long start) {
    if (tree == 0) {
      rest = 0;
      return 0;
    }
    if (starts[tree] < start) {
      right[tree] = split(right[tree], start);
      return tree;
    }
    final int below = split(left[tree], start);
    left[tree] = rest;
    rest = tree;
    return below;
  }

  /** Joins two trees, everything in the first below everything in the second. */
  private int join(final int low, final int high) {
    if (low == 0 || high == 0) {
      return low | high;
    }
    if (priority(low) > priority(high)) {
      right[low] = join(right[low], high);
      return low;
    }
    left[high] = join(low, left[high]);
    return high;
  }

  private long priority(final int node) {
    final long mixed = (starts[node] >>> 9) * 0x9E3779B97F4A7C15L;
    return mixed ^ mixed >>> 29;
  }

  @Override
  public @Nullable ExtentState find(final long address) {
    lock(Thread.currentThread().threadId());
    try {
      int best = 0;
      for (int node = root; node != 0; ) {
        if (starts[node] <= address) {
          best = node;
          node = right[node];
        } else {
          node = left[node];
        }
      }
      return best != 0 && address < ends[best] ? extents[best] : null;
    } finally {
      unlock();
    }
  }

  @Override
  public void remove(final long start) {
    lock(Thread.currentThread().threadId());
    try {
      int above = 0;
      int node = root;
      while (node != 0 && starts[node] != start) {
        above = node;
        node = start < starts[node] ? left[node] : right[node];
      }
      if (node == 0) {
        return;
      }
      final int joined = join(left[node], right[node]);
      if (above == 0) {
        root = joined;
      } else if (left[above] == node) {
        left[above] = joined;
      } else {
        right[above] = joined;
      }
      left[node] = free;
      free = node;
    } finally {
      unlock();
    }
  }
}
