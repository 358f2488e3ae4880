package io.carom.swiotlb.magazine;

import io.carom.swiotlb.slots.Padded;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much bounce memory a pool has, may have, and asks for in advance. Shared by the stripes, but
 * off their common paths: it changes when extents come and go, and is read when a stripe is full.
 *
 * <p>Memory comes in two ways. What the <em>target</em> says is granted in advance; it begins at
 * all the pool may have, falls as idle extents go back, and is raised again by a refusal. And a
 * stripe that is full asks for an extent at once (<em>needed</em>), which the core does not count
 * against the plan, so it takes away from what the plan may ask for.
 */
final class Budget extends Padded {
  private final long most;
  private final long extent;
  private final boolean fixed;
  private final AtomicLong total = new AtomicLong();
  private final AtomicLong needed = new AtomicLong();
  private final AtomicLong target;

  /**
   * A budget.
   *
   * @param most bytes that the pool may have
   * @param extent bytes of an extent
   * @param fixed whether it has all from the beginning to the end
   */
  Budget(final long most, final long extent, final boolean fixed) {
    this.most = most;
    this.extent = extent;
    this.fixed = fixed;
    target = new AtomicLong(most);
  }

  /** What to ask for in advance, in bytes. */
  long wanted() {
    return Math.min(target.get(), Math.max(0, most - needed.get()));
  }

  /** Whether there may be one more extent. */
  boolean mayGrow() {
    return !fixed && total.get() + extent <= most;
  }

  /** Asks for one more extent in advance, unless that is done already. */
  void askForMore() {
    if (mayGrow()) {
      final long more = Math.min(most, total.get() - needed.get() + extent);
      target.accumulateAndGet(more, Math::max);
    }
  }

  /** Whether memory is given back at all. */
  boolean givesBack() {
    return !fixed;
  }

  /** An extent came. */
  void granted(final long bytes, final boolean wasNeeded) {
    total.addAndGet(bytes);
    if (wasNeeded) {
      needed.addAndGet(bytes);
    }
  }

  /** The core took an extent. */
  void retracted(final long bytes, final boolean wasNeeded) {
    granted(-bytes, wasNeeded);
  }

  /** An idle extent goes back, and is not asked for again. */
  void gaveBack(final long bytes, final boolean wasNeeded) {
    granted(-bytes, wasNeeded);
    if (!wasNeeded) {
      target.addAndGet(-bytes);
    }
  }
}
