package io.carom.guest.shim.fio;

/**
 * Finds the next block for a request and claims it. A block that somebody else has claimed is put
 * aside and tried again later, so that a pass still visits it; one that a lost request holds is
 * passed by. Used under the job's lock.
 */
final class BlockPicker {
  /** Blocks put aside at most; with so many, the job waits rather than to run on. */
  private static final int ASIDE = 64;

  /** Of them, how many one call tries again. */
  private static final int RETRIES = 4;

  private final JobSpec spec;
  private final DiskLedger ledger;
  private final BlockOrder order;
  private final long[] aside = new long[ASIDE];
  private int asideHead;
  private int asideCount;
  private long remaining;

  BlockPicker(final JobSpec spec, final DiskLedger ledger) {
    this.spec = spec;
    this.ledger = ledger;
    this.order = new BlockOrder(spec.areaBlocks(), spec.random(), spec.seed());
    this.remaining = spec.blocks();
  }

  /** Whether every block was visited or passed by. */
  boolean exhausted() {
    return remaining == 0;
  }

  /**
   * Sets a slot's block, claimed where the job claims.
   *
   * @return false when there is none now: exhausted, or all claimed by others
   */
  boolean pick(final Slot slot) {
    return retryAside(slot) || pickNew(slot);
  }

  private boolean retryAside(final Slot slot) {
    for (int i = Math.min(asideCount, RETRIES); i > 0; i--) {
      final long block = aside[asideHead];
      asideHead = (asideHead + 1) % ASIDE;
      asideCount--;
      if (tryBlock(slot, block)) {
        return true;
      }
    }
    return false;
  }

  private boolean pickNew(final Slot slot) {
    while (remaining > asideCount && asideCount < ASIDE) {
      if (order.passEnded()) {
        if (asideCount > 0) {
          return false; // a pass ends when each of its blocks was visited
        }
        order.newPass();
      }
      if (tryBlock(slot, order.next())) {
        return true;
      }
    }
    return false;
  }

  /** Takes a block, or puts it aside, or passes it by. */
  private boolean tryBlock(final Slot slot, final long block) {
    final long offset = block * spec.blockSectors(); // within the area
    final long first = spec.firstSector() + offset;
    final int count = (int) Math.min(spec.blockSectors(), spec.sectors() - offset);
    if (spec.claims() && !ledger.tryClaim(first, count)) {
      if (ledger.isAbandoned(first, count)) {
        remaining--;
      } else {
        aside[(asideHead + asideCount) % ASIDE] = block;
        asideCount++;
      }
      return false;
    }
    remaining--;
    if (!wanted(first, count)) {
      ledger.release(first, count);
      return false;
    }
    slot.sector = first;
    slot.sectors = count;
    slot.claimed = spec.claims();
    return true;
  }

  private boolean wanted(final long first, final int count) {
    return switch (spec.filter()) {
      case ALL -> true;
      case UNVERIFIABLE -> ledger.anyUnverifiable(first, count);
      case WRITTEN -> ledger.writtenSince(first, count, spec.since());
    };
  }

  /** The slot's request is over: releases its claim. */
  void release(final Slot slot) {
    if (slot.claimed) {
      slot.claimed = false;
      ledger.release(slot.sector, slot.sectors);
    }
  }
}
