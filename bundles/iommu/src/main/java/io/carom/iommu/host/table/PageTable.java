package io.carom.iommu.host.table;

import io.carom.iommu.IommuStatus;
import io.carom.iommu.VirtioIommuDescriptor;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A radix tree of four levels over 48 bits of address, whose entries map pages of 4 KiB, 2 MiB or 1
 * GiB. A node without entries is taken out.
 *
 * <p><b>The protocol.</b> One writer at a time, under the IOMMU's lock; readers walk without a
 * lock. An entry is one long, stored with release and loaded with acquire, and so is the reference
 * to a node below, so a reader sees nodes that are made completely. A reader that still holds a
 * node which was taken out finds it empty, and it never comes back: such a walk began before the
 * pages that it misses were mapped. At an index a node has an entry or a node below, never both; a
 * reader that looks for one while the writer changes one into the other sees neither, which is what
 * was true in between. What a reader found may be gone when it uses it: the one who unmaps waits
 * for such readers, see {@link io.carom.iommu.host.endpoint.Iotlb}.
 */
public final class PageTable {
  /** Bits of the addresses that a table covers. */
  public static final int INPUT_BITS = 48;

  private static final int ROOT_LEVEL = 3;
  private static final int ENTRIES = 1 << Pte.INDEX_BITS;
  private static final VarHandle LEAF = MethodHandles.arrayElementVarHandle(long[].class);
  private static final VarHandle CHILD = MethodHandles.arrayElementVarHandle(Node[].class);

  private final PageBudget budget;
  private final PhysicalSpace space;
  private final Node root = new Node(ROOT_LEVEL);

  /** One node of the tree; the lowest level has no nodes below. */
  private static final class Node {
    final long[] leaves = new long[ENTRIES];
    final @Nullable Node[] children;
    int used; // entries and nodes below

    Node(final int level) {
      children = new Node[level == 0 ? 0 : ENTRIES];
    }
  }

  /** An empty table. */
  public PageTable(final PageBudget budget, final PhysicalSpace space) {
    this.budget = budget;
    this.space = space;
  }

  /**
   * Finds the entry of an address; needs no lock.
   *
   * @return {@link Pte#NONE} when there is none
   */
  public long walk(final long address) {
    if (address >>> INPUT_BITS != 0) {
      return Pte.NONE;
    }
    Node node = root;
    for (int level = ROOT_LEVEL; ; level--) {
      final int index = index(address, level);
      final long leaf = (long) LEAF.getAcquire(node.leaves, index);
      if (leaf != Pte.NONE || level == 0) {
        return leaf;
      }
      final Node child = (Node) CHILD.getAcquire(node.children, index);
      if (child == null) {
        return Pte.NONE;
      }
      node = child;
    }
  }

  /**
   * Maps a run of pages, none of which is mapped.
   *
   * @param start granule-aligned, with {@code bytes} within 48 bits
   * @param physical granule-aligned, {@code physical + bytes} does not overflow
   * @param flags of {@link Pte#FLAGS}
   * @return {@link IommuStatus#OK}; FAULT when it is not memory, and nothing was done; NOMEM when
   *     the tables would be too large, and a part that was mapped was unmapped
   */
  public int map(final long start, final long bytes, final long physical, final int flags) {
    final boolean mmio = Pte.allows(flags, VirtioIommuDescriptor.MAP_F_MMIO);
    for (long at = 0; at < bytes; ) {
      final long run = run(physical + at, bytes - at, mmio);
      if (run == 0) {
        return IommuStatus.FAULT;
      }
      at += run;
    }
    for (long at = 0; at < bytes; ) {
      final long run = run(physical + at, bytes - at, mmio);
      final long behind = space.behind(physical + at, run, mmio);
      final long done = mapRun(start + at, run, behind, flags);
      if (done < run) {
        unmap(start, at + done);
        clear(root, ROOT_LEVEL, start + at + done); // nodes made on the way to what failed
        return IommuStatus.NOMEM;
      }
      at += run;
    }
    return IommuStatus.OK;
  }

  /** How much of a run lies in one piece behind the IOMMU: all, a granule, or 0 for nothing. */
  private long run(final long physical, final long bytes, final boolean mmio) {
    if (inBits(space.behind(physical, bytes, mmio), bytes)) {
      return bytes;
    }
    return inBits(space.behind(physical, Pte.GRANULE, mmio), Pte.GRANULE) ? Pte.GRANULE : 0;
  }

  private static boolean inBits(final long behind, final long bytes) {
    // At most 2^48 bytes from below 2^52: the sum does not overflow.
    return behind >= 0
        && behind < 1L << Pte.PHYSICAL_BITS
        && behind + bytes <= 1L << Pte.PHYSICAL_BITS;
  }

  /** Maps what lies together behind the IOMMU; returns how much of it there was room for. */
  private long mapRun(final long start, final long bytes, final long behind, final int flags) {
    long at = 0;
    while (at < bytes) {
      final int level = level((start + at) | (behind + at), bytes - at);
      if (!put(start + at, level, Pte.of(behind + at, level, flags))) {
        break;
      }
      at += Pte.bytes(level);
    }
    return at;
  }

  /** The largest page that both addresses, or'ed, are multiples of and that is not too long. */
  private static int level(final long addresses, final long bytes) {
    int level = Pte.LEAF_LEVELS;
    while (level > 0 && ((addresses & (Pte.bytes(level) - 1)) != 0 || Pte.bytes(level) > bytes)) {
      level--;
    }
    return level;
  }

  private boolean put(final long address, final int target, final long pte) {
    Node node = root;
    for (int level = ROOT_LEVEL; level > target; level--) {
      final int index = index(address, level);
      Node child = node.children[index];
      if (child == null) {
        if (!budget.take()) {
          return false; // nodes made on the way are empty: the caller clears there
        }
        child = new Node(level - 1);
        CHILD.setRelease(node.children, index, child);
        node.used++;
      }
      node = child;
    }
    LEAF.setRelease(node.leaves, index(address, target), pte);
    node.used++;
    return true;
  }

  /** Unmaps a run, all of which is mapped, and whose ends are not inside a page. */
  public void unmap(final long start, final long bytes) {
    final long end = start + bytes; // at most 2^48
    for (long at = start; at < end; ) {
      at += Math.max(Pte.GRANULE, clear(root, ROOT_LEVEL, at));
    }
  }

  /** Clears an address's entry and takes out what has become empty; returns the entry's bytes. */
  private long clear(final Node node, final int level, final long address) {
    final int index = index(address, level);
    if (node.leaves[index] != Pte.NONE) {
      LEAF.setRelease(node.leaves, index, Pte.NONE);
      node.used--;
      return Pte.bytes(level);
    }
    final Node child = level == 0 ? null : node.children[index];
    if (child == null) {
      return 0;
    }
    final long bytes = clear(child, level - 1, address);
    if (child.used == 0) {
      CHILD.setRelease(node.children, index, null);
      node.used--;
      budget.give();
    }
    return bytes;
  }

  /** Gives every node back to the budget; the table is not used any more. */
  public void dispose() {
    dispose(root, ROOT_LEVEL);
  }

  private void dispose(final Node node, final int level) {
    for (int index = 0; index < ENTRIES; index++) {
      LEAF.setRelease(node.leaves, index, Pte.NONE);
      final Node child = level == 0 ? null : node.children[index];
      if (child != null) {
        CHILD.setRelease(node.children, index, null);
        dispose(child, level - 1);
        budget.give();
      }
    }
    node.used = 0;
  }

  private static int index(final long address, final int level) {
    return (int) (address >>> Pte.shift(level)) & (ENTRIES - 1);
  }
}
