package io.carom.dma.core.pool;

import io.carom.dma.spi.Extent;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Finds the extent of a bus address in two loads, however many there are: a table of tables, one
 * entry for each 256 KiB. Readers take no lock; an entry is published with release before any
 * address in it can be handed out.
 */
public final class ExtentIndex {
  private static final VarHandle LEAF = MethodHandles.arrayElementVarHandle(ExtentState[].class);
  private static final VarHandle TABLE = MethodHandles.arrayElementVarHandle(ExtentState[][].class);
  private static final int LEAF_BITS = 12;
  private static final int LEAF_SHIFT = Extent.SET_SHIFT + LEAF_BITS;
  private static final int TABLE_SIZE = 4096; // of 1 GiB: bus addresses below 4 TiB

  private final @Nullable ExtentState[][] table = new ExtentState[TABLE_SIZE][];

  /** An empty index. */
  public ExtentIndex() {}

  /** The extent that holds a bus address, or null. */
  public @Nullable ExtentState find(final long busAddress) {
    final long top = busAddress >>> LEAF_SHIFT;
    if (top >= TABLE_SIZE) {
      return null;
    }
    final ExtentState[] leaf = (ExtentState[]) TABLE.getAcquire(table, (int) top);
    if (leaf == null) {
      return null;
    }
    return (ExtentState)
        LEAF.getAcquire(leaf, (int) (busAddress >>> Extent.SET_SHIFT) & ((1 << LEAF_BITS) - 1));
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
    for (long a = extent.busAddress(); a < extent.end(); a += Extent.SET_SIZE) {
      final int top = (int) (a >>> LEAF_SHIFT);
      if (top >= TABLE_SIZE) {
        throw new IllegalArgumentException(
            "bus address 0x" + Long.toHexString(a) + " is beyond 4 TiB, the most that is indexed");
      }
      ExtentState[] leaf = table[top];
      if (leaf == null) {
        leaf = new ExtentState[1 << LEAF_BITS];
        TABLE.setRelease(table, top, leaf);
      }
      LEAF.setRelease(leaf, (int) (a >>> Extent.SET_SHIFT) & ((1 << LEAF_BITS) - 1), state);
    }
  }
}
