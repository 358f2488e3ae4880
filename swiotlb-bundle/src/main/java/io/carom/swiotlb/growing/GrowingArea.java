package io.carom.swiotlb.growing;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.fixed.Area;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.NeededExtents;
import io.carom.swiotlb.slots.Padded;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What one stripe has: slots that it began with, pools that were added, and extents for one mapping
 * each. Looked at in this order. Guarded by the stripe's lock, but for what {@link #seemsToHave},
 * {@link #wasAsked} and the statistics read.
 *
 * <p>Linux makes memory for one mapping when all areas have refused. Here a stripe is asked without
 * knowing whether the core will ask another next. So a stripe that has no room refuses as long as
 * another one seems to have room and has not refused this very request, which each remembers. The
 * last one to be asked finds that all have, and asks for memory.
 */
final class GrowingArea extends Padded {
  private static final long SILENT_MS = 1_000;

  /** The slots that it began with. */
  final Area base;

  private final Fit fit = new Fit();
  private final NeededExtents needed = new NeededExtents();
  private final Growth growth;
  private final GrowingSettings settings;
  private final Fitting fitting;
  private final @Nullable ActivePools active;
  private GrowingArea[] all = {this};

  /** Replaced, not changed, so that statistics may read it without the lock. */
  private AddedPool[] added = {};

  private long refusedThread = -1;
  private long refusedAddress;
  private long refusedSize;
  private long lastTickMs;

  GrowingArea(final Growth growth, final GrowingSettings settings, final Fitting fitting) {
    this.growth = growth;
    this.settings = settings;
    this.fitting = fitting;
    base = new Area(fitting);
    active = settings.activePools() ? new ActivePools() : null;
  }

  /** Tells it of the stripes that the core may ask as well, itself included. */
  void others(final GrowingArea[] stripes) {
    all = stripes;
  }

  void grant(final Extent extent) {
    if (growth.granted(extent.size())) {
      base.grant(extent);
      return;
    }
    final AddedPool[] now = Arrays.copyOf(added, added.length + 1);
    now[added.length] = new AddedPool(extent, fitting, active);
    added = now;
  }

  void grantNeeded(final Extent extent) {
    needed.grant(extent);
  }

  void denied() {
    needed.deny();
  }

  void retract(final Extent extent) {
    for (int i = 0; i < added.length; i++) {
      if (added[i].extent.id() == extent.id()) {
        remove(i);
        return;
      }
    }
    if (!needed.retract(extent)) {
      base.retract(extent);
      growth.lostBase(extent.size());
    }
  }

  private void remove(final int index) {
    final AddedPool pool = added[index];
    final AddedPool[] now = Arrays.copyOf(added, added.length - 1);
    System.arraycopy(added, index + 1, now, index, now.length - index);
    added = now;
    pool.retire();
    growth.lostAdded(pool.extent.size());
  }

  void allocate(final MapRequest request, final Placement answer) {
    if (!fit.of(request)) {
      answer.refuse(Refusal.TOO_BIG);
    } else if (needed.answered()) {
      answered(request, answer);
    } else if (!base.allocate(fit, answer) && !fromAdded(request, answer)) {
      beyond(request, answer);
    }
  }

  /** The same request again: with the memory made for it, or without. */
  private void answered(final MapRequest request, final Placement answer) {
    if (!needed.place(fit, request, answer)
        && !base.allocate(fit, answer)
        && !fromAdded(request, answer)) {
      answer.refuse(Refusal.FULL);
    }
  }

  private boolean fromAdded(final MapRequest request, final Placement answer) {
    final AddedPool[] pools = added;
    final long mine = active == null ? 0 : active.of(request.device);
    if (mine != 0) {
      for (final AddedPool pool : pools) {
        if (pool.in(mine) && pool.allocate(fit, request, answer)) {
          return true;
        }
      }
    }
    for (final AddedPool pool : pools) {
      if (!pool.in(mine) && pool.allocate(fit, request, answer)) {
        return true;
      }
    }
    return false;
  }

  /** No room: another stripe's turn, or memory for this mapping alone and a pool for the next. */
  private void beyond(final MapRequest request, final Placement answer) {
    final long thread = Thread.currentThread().threadId();
    refusedThread = thread;
    refusedAddress = request.address;
    refusedSize = request.size;
    for (final GrowingArea other : all) {
      if (other != this
          && other.seemsToHave(fit)
          && !other.wasAsked(thread, request)
          && lastTickMs - other.lastTickMs < SILENT_MS) {
        return; // refused already
      }
    }
    growth.hungry();
    long bytes = fit.lead() + ((long) fit.slots() << Extent.SLOT_SHIFT);
    for (final GrowingArea each : all) {
      bytes += each.needed.slots() << Extent.SLOT_SHIFT;
    }
    if (!growth.atCeiling(bytes)) {
      needed.ask(fit, answer);
    }
  }

  /** Whether a run seems to be free. From any thread. */
  private boolean seemsToHave(final Fit run) {
    if (base.seemsToHave(run)) {
      return true;
    }
    for (final AddedPool pool : added) {
      if (pool.area.seemsToHave(run)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the last request that found no room is this one. From any thread. */
  private boolean wasAsked(final long thread, final MapRequest request) {
    return refusedThread == thread
        && refusedAddress == request.address
        && refusedSize == request.size;
  }

  boolean release(final long runAddress, final long runBytes) {
    if (base.release(runAddress, runBytes)) {
      return false;
    }
    for (final AddedPool pool : added) {
      if (pool.release(runAddress, runBytes)) {
        return false;
      }
    }
    needed.release(runBytes);
    return true;
  }

  /** Sets pools aside that have been idle for long, those added last first. */
  void tick(final long nowMs, final GrowingPool whole) {
    lastTickMs = nowMs;
    for (int i = added.length - 1; i >= 0; i--) {
      final AddedPool pool = added[i];
      if (pool.idle(nowMs, settings.idleMs())
          && growth.spares(whole.usedSlots(), whole.totalSlots(), pool.extent.slots())) {
        remove(i);
        needed.dispose(pool.extent);
      }
    }
  }

  @Nullable Extent surplus() {
    return needed.surplus();
  }

  long usedSlots() {
    long used = base.usedSlots() + needed.slots();
    for (final AddedPool pool : added) {
      used += pool.area.usedSlots();
    }
    return used;
  }

  long totalSlots() {
    long total = base.totalSlots() + needed.slots();
    for (final AddedPool pool : added) {
      total += pool.area.totalSlots();
    }
    return total;
  }

  long transientSlots() {
    return needed.slots();
  }

  long largestFreeRun() {
    long best = base.largestFreeRun();
    for (final AddedPool pool : added) {
      best = Math.max(best, pool.area.largestFreeRun());
    }
    return best;
  }
}
