package io.carom.dma.core.pool;

import io.carom.dma.spi.Extent;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Finds the extent of a bus address in two loads, however many there are: a table of tables, one
 * entry for each 256 KiB. Where extents are smaller than that, or do not end at such a border, the
 * entry is a {@link ExtentState#split} one that holds an entry for each page. Readers take no lock;
 * an entry is published with release before any address in it can be handed out.
 */
public final class ExtentIndex {
  private static final VarHandle LEAF = MethodHandles.arrayElementVarHandle(ExtentState[].class);
  private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(ExtentState[][].class);
  private static final int LEAF_BITS = 12;
  private static final int LEAF_SHIFT = Extent.SET_SHIFT + LEAF_BITS;
  private static final int TABLE_SIZE = 4096; // of 1 GiB: bus addresses below 4 TiB
  private static final int PAGE_SHIFT = 12;
  private static final int PAGES = 1 << (Extent.SET_SHIFT - PAGE_SHIFT);

  private final @Nullable ExtentState[][] table = new ExtentState[TABLE_SIZE][];

  /** An empty index. */
  public ExtentIndex() {}

  /** The extent that holds a bus address, or null. */
  public @Nullable ExtentState find(final long busAddress) {
    final ExtentState found = entry(busAddress);
    return found == null || found.pages == null ? found : page(found.pages, busAddress);
  }

  private @Nullable ExtentState entry(final long busAddress) {
    final long top = busAddress >>> LEAF_SHIFT;
    if (top >= TABLE_SIZE) {
      return null;
    }
    final ExtentState[] leaf = (ExtentState[]) TABLE.getAcquire(table, (int) top);
    if (leaf == null) {
      return null;
    }
    return (ExtentState) LEAF.getAcquire(leaf, slot(busAddress));
  }

  private static @Nullable ExtentState page(
      final @Nullable ExtentState[] pages, final long busAddress) {
    return (ExtentState) LEAF.getAcquire(pages, (int) (busAddress >>> PAGE_SHIFT) & (PAGES - 1));
  }

  private static int slot(final long busAddress) {
    return (int) (busAddress >>> Extent.SET_SHIFT) & ((1 << LEAF_BITS) - 1);
  }

  /** Makes an extent findable. */
  public void add(final ExtentState extent) {
    set(extent.extent, extent);
  }

  /** Makes an extent unfindable again. */
  public void remove(final ExtentState extent) {
    set(extent.extent, null);
  }

  private synchronized void set(final Extent extent, final @Nullable ExtentState state) {
    long a = extent.busAddress();
    while (a < extent.end()) {
      final long border = (a & -Extent.SET_SIZE) + Extent.SET_SIZE; // below 2^48
      if (border - a == Extent.SET_SIZE && border <= extent.end()) {
        LEAF.setRelease(leaf(a), slot(a), state);
      } else {
        setPages(a, Math.min(border, extent.end()), state);
      }
      a = border;
    }
  }

  private void setPages(final long from, final long end, final @Nullable ExtentState state) {
    final ExtentState[] leaf = leaf(from);
    ExtentState split = leaf[slot(from)];
    if (split == null || split.pages == null) {
      split = ExtentState.split(new ExtentState[PAGES]);
      LEAF.setRelease(leaf, slot(from), split);
    }
    for (long a = from; a < end; a += 1 << PAGE_SHIFT) {
      LEAF.setRelease(split.pages, (int) (a >>> PAGE_SHIFT) & (PAGES - 1), state);
    }
  }

  private ExtentState[] leaf(final long busAddress) {
    final int top = (int) (busAddress >>> LEAF_SHIFT);
    if (top >= TABLE_SIZE) {
      throw new IllegalArgumentException(
          "bus address 0x"
              + Long.toHexString(busAddress)
              + " is beyond 4 TiB, the most that is indexed");
    }
    ExtentState[] leaf = table[top];
    if (leaf == null) {
      leaf = new ExtentState[1 << LEAF_BITS];
      TABLE.setRelease(table, top, leaf);
    }
    return leaf;
  }
}
