package io.carom.swiotlb.magazine;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.Padded;
import io.carom.swiotlb.slots.RunMap;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stripe, without the common case that {@link MagazinePool} answers itself: magazines and
 * bitmap with all constraints, refusal, growth and giving back. Guarded by the stripe's lock.
 */
final class MagazineStripe extends Padded {
  private static final long DECAY_MS = 100;
  private static final long PAGE_MASK = 4095;

  private final RunMap runs = new RunMap();
  private final Fit fit = new Fit();
  private final Budget budget;
  private final long extentBytes;
  private final long keptSlots;
  private final long idleMs;
  private final List<Held> extents = new ArrayList<>(); // by address, as the blocks of the bitmap
  private long nextDecay = Long.MIN_VALUE;
  private long now;

  /** The core had no memory for us; not asked for again until the next tick. */
  private boolean denied;

  /** An extent came for the request that is asked again now. */
  private boolean justGranted;

  /** The stripe's magazines. */
  final Magazines magazines = new Magazines(runs);

  /** An extent and since when it is empty, or -1. */
  private static final class Held {
    private final Extent extent;
    private final boolean needed;
    private long emptySince = -1;

    Held(final Extent extent, final boolean needed) {
      this.extent = extent;
      this.needed = needed;
    }
  }

  /**
   * A stripe without extents.
   *
   * @param keptSlots what it keeps however idle it is
   */
  MagazineStripe(
      final Budget budget, final long extentBytes, final long keptSlots, final long idleMs) {
    this.budget = budget;
    this.extentBytes = extentBytes;
    this.keptSlots = keptSlots;
    this.idleMs = idleMs;
  }

  void grant(final Extent extent, final boolean needed) {
    runs.add(extent.busAddress(), extent.slots());
    int at = extents.size();
    while (at > 0 && extents.get(at - 1).extent.busAddress() > extent.busAddress()) {
      at--;
    }
    extents.add(at, new Held(extent, needed));
    budget.granted(extent.size(), needed);
    justGranted = needed;
  }

  void retract(final Extent extent) {
    for (int i = 0; i < extents.size(); i++) {
      if (extents.get(i).extent.busAddress() == extent.busAddress()) {
        budget.retracted(extent.size(), extents.get(i).needed);
        remove(i);
        return;
      }
    }
    throw new IllegalStateException(
        "no extent at 0x" + Long.toHexString(extent.busAddress()) + " in this stripe");
  }

  private Extent remove(final int at) {
    final Extent extent = extents.remove(at).extent;
    magazines.purge(extent.busAddress(), extent.end());
    runs.remove(extent.busAddress());
    return extent;
  }

  void denied() {
    denied = true;
  }

  /** All that the common case is not. */
  void allocate(final MapRequest request, final Placement answer) {
    final boolean grown = justGranted;
    justGranted = false;
    if (!fit.of(request, extentBytes)) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    final int count = fit.slots();
    long run = count <= Extent.SET_SLOTS ? magazines.take(count, fit) : Magazines.NONE;
    if (run < 0) {
      run = runs.take(fit);
    }
    if (run < 0 && magazines.flush()) {
      run = runs.take(fit);
    }
    if (run >= 0) {
      answer.bounce(run + fit.offset(), run, (long) count << Extent.SLOT_SHIFT);
    } else {
      grow(request, answer, grown);
    }
  }

  private void grow(final MapRequest request, final Placement answer, final boolean grown) {
    if (budget.mayGrow()) {
      if (!grown && !denied && fitsAFreshExtent()) {
        answer.needExtent(
            extentBytes,
            Math.max(Extent.SET_SIZE - 1, request.minAlignMask | request.allocAlignMask));
        return;
      }
      budget.askForMore();
    }
    answer.refuse(fit.slots() > runs.freeSlots() ? Refusal.FULL : Refusal.FRAGMENTED);
  }

  private boolean fitsAFreshExtent() {
    final long start = fit.atOrBehind(0);
    return fit.allows(start) && start + ((long) fit.slots() << Extent.SLOT_SHIFT) <= extentBytes;
  }

  void release(final long runAddress, final long runBytes) {
    final int count = (int) (runBytes >> Extent.SLOT_SHIFT); // an extent at most
    if (count <= Extent.SET_SLOTS && (count == 1 || (runAddress & PAGE_MASK) == 0)) {
      magazines.push(count, runAddress);
    } else {
      runs.give(runAddress, count);
    }
  }

  void tick(final long nowMs) {
    denied = false;
    now = nowMs;
    if (nowMs < nextDecay) {
      return;
    }
    nextDecay = nowMs + DECAY_MS;
    magazines.decay();
    for (int i = 0; i < extents.size(); i++) {
      final Held held = extents.get(i);
      held.emptySince = !runs.isFree(i) ? -1 : held.emptySince < 0 ? nowMs : held.emptySince;
    }
  }

  /** The highest extent that is empty for long, as the lowest are filled first. */
  @Nullable Extent surplus() {
    if (!budget.givesBack()) {
      return null;
    }
    for (int i = extents.size() - 1; i >= 0; i--) {
      final Held held = extents.get(i);
      if (held.emptySince >= 0
          && now - held.emptySince >= idleMs
          && runs.isFree(i)
          && runs.totalSlots() - held.extent.slots() >= keptSlots) {
        budget.gaveBack(held.extent.size(), held.needed);
        return remove(i);
      }
    }
    return null;
  }

  long usedSlots() {
    return Math.max(0, runs.totalSlots() - runs.freeSlots() - magazines.slots());
  }

  long totalSlots() {
    return runs.totalSlots();
  }

  long largestFreeRun() {
    return (long) Math.max(runs.longestRun(), magazines.longest()) << Extent.SLOT_SHIFT;
  }
}
