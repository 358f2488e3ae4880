package io.carom.swiotlb.slots;

import io.carom.dma.spi.Extent;
import java.util.Arrays;

/**
 * Free runs of slots in blocks of bounce memory, such as extents or slot sets: a bit for each slot,
 * set when it is free, and a summary that says without a search whether a run is to be had. Lowest
 * address first, so that what is used gathers in few blocks. Guarded by its user.
 *
 * <p>The summary is a tree of maxima over the blocks: for each the longest free run that begins at
 * an even slot, which is a page, and the longest that begins at an odd one. What a block says is an
 * upper bound. It is exact or raised when slots become free, because the run around them is
 * measured; taking slots leaves it; a search that finds nothing lowers it. So a block is searched
 * in vain once for what was taken from it, and not again until something is freed there. A request
 * that no block says it can serve is refused at the root of the tree.
 *
 * <p>Requests with larger alignments or a boundary can fail although a block has runs that are long
 * enough. The last such failure is remembered until something is freed.
 *
 * <p>Arrays that change have unused ends, so that two maps share no cache line.
 */
public final class RunMap extends Padded {
  /** No run. */
  public static final long NONE = -1;

  private static final int PAD = 16; // longs: two cache lines
  private static final int INT_PAD = 32;
  private static final int ANY = -1;
  private static final int WORD = 64;
  private static final long EVEN_BITS = 0x5555_5555_5555_5555L;

  private final Fit failed = new Fit();
  private boolean failedKnown;
  private boolean candidates;

  private int blocks;
  private int leaves = 1; // of the tree: a power of two
  private int stride = 1; // words of a block
  private int lastBlock;
  private long freeSlots;
  private long totalSlots;
  private long[] bases = new long[0];
  private int[] sizes = new int[0];
  private int[] free = new int[2 * INT_PAD];
  private int[] tree = new int[2 * INT_PAD + 4];
  private long[] words = new long[2 * PAD];

  /** No blocks. */
  public RunMap() {}

  /** Adds a block, all of it free; its address is a multiple of 4 KiB. */
  public void add(final long base, final int slots) {
    int at = blocks;
    while (at > 0 && bases[at - 1] > base) {
      at--;
    }
    final int wanted = Math.max(stride, (slots + WORD - 1) / WORD);
    if (blocks == bases.length || wanted != stride) {
      resize(Math.max(blocks + 1, Math.max(4, bases.length * 2)), wanted);
    }
    move(at, at + 1);
    blocks++;
    bases[at] = base;
    sizes[at] = slots;
    free[INT_PAD + at] = slots;
    final int word = PAD + at * stride;
    Arrays.fill(words, word, word + stride, 0);
    fill(at, 0, slots);
    freeSlots += slots;
    totalSlots += slots;
    raise(at, 0, slots);
    raise(at, 1, slots - 1);
    rebuild();
    failedKnown = false;
  }

  /** Forgets a block, whether its slots are free or not. */
  public void remove(final long base) {
    final int at = find(base);
    if (bases[at] != base) {
      throw noBlock(base);
    }
    freeSlots -= free[INT_PAD + at];
    totalSlots -= sizes[at];
    move(at + 1, at);
    blocks--;
    lastBlock = 0;
    rebuild();
  }

  private void resize(final int capacity, final int newStride) {
    final long[] newWords = new long[2 * PAD + capacity * newStride];
    for (int b = 0; b < blocks; b++) {
      System.arraycopy(words, PAD + b * stride, newWords, PAD + b * newStride, stride);
    }
    final int newLeaves = Math.max(1, Integer.highestOneBit(capacity - 1) << 1);
    final int[] newTree = new int[2 * INT_PAD + 4 * newLeaves];
    System.arraycopy(
        tree, INT_PAD + 2 * leaves, newTree, INT_PAD + 2 * newLeaves, 2 * Math.min(blocks, leaves));
    bases = Arrays.copyOf(bases, capacity);
    sizes = Arrays.copyOf(sizes, capacity);
    free = Arrays.copyOf(free, 2 * INT_PAD + capacity);
    words = newWords;
    tree = newTree;
    stride = newStride;
    leaves = newLeaves;
  }

  /** Moves the blocks from one on to another place. */
  private void move(final int from, final int to) {
    final int count = blocks - from;
    System.arraycopy(bases, from, bases, to, count);
    System.arraycopy(sizes, from, sizes, to, count);
    System.arraycopy(free, INT_PAD + from, free, INT_PAD + to, count);
    System.arraycopy(words, PAD + from * stride, words, PAD + to * stride, count * stride);
    System.arraycopy(
        tree, INT_PAD + 2 * (leaves + from), tree, INT_PAD + 2 * (leaves + to), 2 * count);
  }

  /** Makes the tree anew from its leaves. */
  private void rebuild() {
    final int behind = INT_PAD + 2 * (leaves + blocks);
    Arrays.fill(tree, behind, INT_PAD + 4 * leaves, 0);
    for (int i = INT_PAD + 2 * leaves - 1; i >= INT_PAD + 2; i--) {
      final int child = 2 * i - INT_PAD - (i & 1); // of 2n+p: 4n+p, and 2 behind it
      tree[i] = Math.max(tree[child], tree[child + 2]);
    }
  }

  /**
   * Takes a run.
   *
   * @return its bus address, or {@link #NONE}
   */
  public long take(final Fit fit) {
    final int count = fit.slots();
    final int parity = fit.parity();
    int block = next(count, parity, 0);
    if (block < 0 || (failedKnown && failed.asks(fit))) {
      return NONE;
    }
    boolean any = false;
    while (block >= 0) {
      candidates = false;
      final int slot =
          count <= WORD ? findShort(block, count, parity, fit) : findLong(block, count, fit);
      if (slot >= 0) {
        return taken(block, slot, count);
      }
      if (candidates) {
        any = true;
      } else {
        lower(block, parity, count - 1);
      }
      block = next(count, parity, block + 1);
    }
    if (any) {
      failed.set(fit);
      failedKnown = true;
    }
    return NONE;
  }

  /**
   * Takes a run that begins on a page, at the highest address there is.
   *
   * @param count slots
   * @return its bus address, or {@link #NONE}
   */
  public long takeHighest(final int count) {
    int block = previous(count, blocks - 1);
    while (block >= 0) {
      final int slot = findHighest(block, count);
      if (slot >= 0) {
        return taken(block, slot, count);
      }
      lower(block, 0, count - 1);
      block = previous(count, block - 1);
    }
    return NONE;
  }

  private long taken(final int block, final int slot, final int count) {
    fill(block, slot, count);
    freeSlots -= count;
    final int left = free[INT_PAD + block] - count;
    free[INT_PAD + block] = left;
    lastBlock = block;
    if (left == 0) {
      lower(block, ANY, 0);
    }
    return bases[block] + ((long) slot << Extent.SLOT_SHIFT);
  }

  /**
   * Gives a run back.
   *
   * @throws IllegalStateException when it is free already, or in no block
   */
  public void give(final long run, final int count) {
    final int block = find(run);
    final int slot = (int) ((run - bases[block]) >> Extent.SLOT_SHIFT);
    if (slot < 0 || slot + count > sizes[block]) {
      throw noBlock(run);
    }
    if (countFree(block, slot, count) != 0) {
      throw new IllegalStateException("run at 0x" + Long.toHexString(run) + " is free already");
    }
    fill(block, slot, count);
    freeSlots += count;
    free[INT_PAD + block] += count;
    failedKnown = false;
    final int start = startOfRun(block, slot);
    final int end = endOfRun(block, slot + count);
    raise(block, 0, end - ((start + 1) & ~1));
    raise(block, 1, end - (start | 1));
  }

  // Search in a block

  /** Up to 64 slots: as in {@link SlotSearch}, a word and the one behind it are narrowed. */
  private int findShort(final int block, final int count, final int parity, final Fit fit) {
    final int first = PAD + block * stride;
    final long mask = parity < 0 ? -1L : EVEN_BITS << parity;
    final long base = bases[block];
    for (int w = 0; w < stride; w++) {
      long starts = starts(first, w, count) & mask;
      while (starts != 0) {
        final int slot = w * WORD + Long.numberOfTrailingZeros(starts);
        if (fit.allows(base + ((long) slot << Extent.SLOT_SHIFT))) {
          return slot;
        }
        candidates = true;
        starts &= starts - 1;
      }
    }
    return -1;
  }

  private int findHighest(final int block, final int count) {
    if (count > WORD) {
      return findHighestLong(block, count);
    }
    final int first = PAD + block * stride;
    for (int w = stride - 1; w >= 0; w--) {
      final long starts = starts(first, w, count) & EVEN_BITS;
      if (starts != 0) {
        return w * WORD + WORD - 1 - Long.numberOfLeadingZeros(starts);
      }
    }
    return -1;
  }

  private int findHighestLong(final int block, final int count) {
    int end = sizes[block];
    while (end >= count) {
      final int start = startOfRun(block, end);
      final int slot = (end - count) & ~1;
      if (slot >= start) {
        return slot;
      }
      end = start == end ? end - 1 : start;
    }
    return -1;
  }

  /** The slots of a word at which so many free ones begin. */
  private long starts(final int first, final int word, final int count) {
    long low = words[first + word];
    if (low == 0) {
      return 0;
    }
    long high = word + 1 < stride ? words[first + word + 1] : 0;
    for (int have = 1; have < count; ) {
      final int shift = Math.min(have, count - have); // 1..32
      low &= low >>> shift | high << (WORD - shift);
      high &= high >>> shift;
      have += shift;
    }
    return low;
  }

  /** More than 64 slots: only a run that reaches a word's end can be so long. */
  private int findLong(final int block, final int count, final Fit fit) {
    final int first = PAD + block * stride;
    int start = -1;
    for (int w = 0; w < stride; w++) {
      final long bits = words[first + w];
      if (bits == -1L) {
        if (start < 0) {
          start = w * WORD;
        }
        continue;
      }
      if (start >= 0) {
        final int slot =
            inRun(block, start, w * WORD + Long.numberOfTrailingZeros(~bits), count, fit);
        if (slot >= 0) {
          return slot;
        }
      }
      final int ones = Long.numberOfLeadingZeros(~bits);
      start = ones == 0 ? -1 : (w + 1) * WORD - ones;
    }
    return start < 0 ? -1 : inRun(block, start, stride * WORD, count, fit);
  }

  private int inRun(
      final int block, final int start, final int end, final int count, final Fit fit) {
    final long base = bases[block];
    final long last = base + ((long) (end - count) << Extent.SLOT_SHIFT);
    long at = fit.atOrBehind(base + ((long) start << Extent.SLOT_SHIFT));
    while (at <= last) {
      if (fit.allows(at)) {
        return (int) ((at - base) >> Extent.SLOT_SHIFT);
      }
      candidates = true;
      at = fit.atOrBehind(at + Extent.SLOT_SIZE);
    }
    // The summary knows of pages only: what it promised is there, but not aligned as asked for.
    final int parity = fit.parity();
    final int page = parity < 0 ? start : start + ((start ^ parity) & 1);
    candidates |= page + count <= end;
    return -1;
  }

  private int countFree(final int block, final int slot, final int count) {
    int sum = 0;
    final int first = PAD + block * stride;
    for (int at = slot; at < slot + count; ) {
      final int end = Math.min(slot + count, (at | (WORD - 1)) + 1);
      sum += Long.bitCount(words[first + (at >> 6)] & bits(at & (WORD - 1), end - at));
      at = end;
    }
    return sum;
  }

  /** Turns bits over. */
  private void fill(final int block, final int slot, final int count) {
    final int first = PAD + block * stride;
    for (int at = slot; at < slot + count; ) {
      final int end = Math.min(slot + count, (at | (WORD - 1)) + 1);
      words[first + (at >> 6)] ^= bits(at & (WORD - 1), end - at);
      at = end;
    }
  }

  private static long bits(final int from, final int count) {
    return -1L >>> (WORD - count) << from; // 1 <= count <= 64
  }

  /** The first slot at or behind one that is not free. */
  private int endOfRun(final int block, final int from) {
    final int first = PAD + block * stride;
    int at = from;
    while (at < stride * WORD) {
      final long taken = ~words[first + (at >> 6)] & -1L << at; // the shift is modulo 64
      if (taken != 0) {
        return (at & -WORD) + Long.numberOfTrailingZeros(taken);
      }
      at = (at & -WORD) + WORD;
    }
    return at;
  }

  /** The slot behind the last one before another that is not free. */
  private int startOfRun(final int block, final int to) {
    final int first = PAD + block * stride;
    int at = to;
    while (at > 0) {
      final long taken = ~words[first + ((at - 1) >> 6)] & -1L >>> ((WORD - 1) & -at);
      if (taken != 0) {
        return ((at - 1) & -WORD) + WORD - Long.numberOfLeadingZeros(taken);
      }
      at = (at - 1) & -WORD;
    }
    return 0;
  }

  // Summary

  private int value(final int node, final int parity) {
    final int at = INT_PAD + 2 * node;
    return parity < 0 ? Math.max(tree[at], tree[at + 1]) : tree[at + parity];
  }

  /** The first block from one on that says it has such a run, or -1. */
  private int next(final int count, final int parity, final int from) {
    if (from >= blocks) {
      return -1;
    }
    int node = from == 0 ? 1 : leaves + from;
    while (value(node, parity) < count) {
      while ((node & 1) != 0) {
        node >>= 1;
        if (node <= 1) {
          return -1;
        }
      }
      node++;
    }
    while (node < leaves) {
      node <<= 1;
      if (value(node, parity) < count) {
        node++;
      }
    }
    return node - leaves;
  }

  /** The last block up to one that says it has such a run from a page on, or -1. */
  private int previous(final int count, final int from) {
    if (from < 0 || value(1, 0) < count) {
      return -1;
    }
    int node = leaves + from;
    while (value(node, 0) < count) {
      while ((node & 1) == 0) {
        node >>= 1;
        if (node <= 1) {
          return -1;
        }
      }
      node--;
    }
    while (node < leaves) {
      node = 2 * node + 1;
      if (value(node, 0) < count) {
        node--;
      }
    }
    return node - leaves;
  }

  private void raise(final int block, final int parity, final int run) {
    int at = INT_PAD + 2 * (leaves + block) + parity;
    for (int node = leaves + block; node >= 1 && tree[at] < run; ) {
      tree[at] = run;
      node >>= 1;
      at = INT_PAD + 2 * node + parity;
    }
  }

  private void lower(final int block, final int parity, final int most) {
    if (parity < 0) {
      lowerOne(block, 0, most);
      lowerOne(block, 1, most);
    } else {
      lowerOne(block, parity, most);
    }
  }

  private void lowerOne(final int block, final int parity, final int most) {
    int node = leaves + block;
    int at = INT_PAD + 2 * node + parity;
    if (tree[at] <= most) {
      return;
    }
    tree[at] = most;
    while (node > 1) {
      node >>= 1;
      at = INT_PAD + 2 * node + parity;
      final int child = INT_PAD + 4 * node + parity;
      final int now = Math.max(tree[child], tree[child + 2]);
      if (tree[at] == now) {
        return;
      }
      tree[at] = now;
    }
  }

  // Blocks

  private int find(final long address) {
    final int last = lastBlock;
    if (last < blocks
        && address >= bases[last]
        && address - bases[last] < (long) sizes[last] << Extent.SLOT_SHIFT) {
      return last;
    }
    int low = 0;
    int high = blocks;
    while (high - low > 1) {
      final int middle = (low + high) >>> 1;
      if (bases[middle] <= address) {
        low = middle;
      } else {
        high = middle;
      }
    }
    if (blocks == 0 || address < bases[low]) {
      throw noBlock(address);
    }
    lastBlock = low;
    return low;
  }

  private static IllegalStateException noBlock(final long address) {
    return new IllegalStateException("no block at 0x" + Long.toHexString(address));
  }

  /** Number of blocks; they are in the order of their addresses. */
  public int blocks() {
    return blocks;
  }

  /** Bus address of a block. */
  public long base(final int block) {
    return bases[block];
  }

  /** Whether all of a block is free. */
  public boolean isFree(final int block) {
    return free[INT_PAD + block] == sizes[block];
  }

  /** Free slots. */
  public long freeSlots() {
    return freeSlots;
  }

  /** All slots. */
  public long totalSlots() {
    return totalSlots;
  }

  /**
   * Slots of the longest free run, by a walk over all of them. May be called without the guard; it
   * says what may be a little old then.
   */
  public int longestRun() {
    final long[] bits = words;
    final int width = stride;
    final int count = Math.min(blocks, (bits.length - 2 * PAD) / width);
    int best = 0;
    for (int b = 0; b < count; b++) {
      int run = 0;
      for (int w = PAD + b * width; w < PAD + (b + 1) * width; w++) {
        long left = bits[w];
        int seen = 0;
        while (left != 0) {
          final int zeros = Long.numberOfTrailingZeros(left);
          run = zeros == 0 ? run : 0;
          left >>>= zeros;
          final int ones = Long.numberOfTrailingZeros(~left);
          run += ones;
          best = Math.max(best, run);
          seen += zeros + ones;
          left = ones == WORD ? 0 : left >>> ones;
        }
        run = seen == WORD ? run : 0;
      }
    }
    return best;
  }
}
