package io.carom.iommu.host.table;

/**
 * How many nodes all page tables together may have: what a guest can make the VMM allocate has an
 * end. Not thread-safe; guarded by the IOMMU's lock.
 */
public final class PageBudget {
  private final int most;
  private int used;
  private boolean lenient;

  /** At most so many nodes. */
  public PageBudget(final int most) {
    this.most = most;
  }

  /** Whether more may be taken: for what was there before the limit was. */
  public void lenient(final boolean on) {
    lenient = on;
  }

  boolean take() {
    if (used >= most && !lenient) {
      return false;
    }
    used++;
    return true;
  }

  void give() {
    used--;
  }

  /** Nodes in use. */
  public int used() {
    return used;
  }
}
