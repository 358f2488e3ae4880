package io.carom.guest.shim.iommu;

import java.util.TreeSet;

/** Numbers of domains: the lowest free one first, none twice at a time. Guarded by the owner. */
final class DomainIds {
  static final long NONE = -1;

  private final long end;
  private final TreeSet<Long> returned = new TreeSet<>();
  private long next;

  /** Numbers of a range, both ends included. */
  DomainIds(final long start, final long end) {
    this.next = start;
    this.end = end;
  }

  /** Takes a number; {@link #NONE} when all are taken. */
  long take() {
    final Long again = returned.pollFirst();
    if (again != null) {
      return again;
    }
    return next <= end ? next++ : NONE; // at most 2^32 numbers: next cannot overflow
  }

  /** Gives a number back. */
  void giveBack(final long id) {
    returned.add(id);
  }
}
