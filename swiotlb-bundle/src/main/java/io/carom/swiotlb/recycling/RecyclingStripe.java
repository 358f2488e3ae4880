package io.carom.swiotlb.recycling;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.dma.spi.Refusal;
import io.carom.swiotlb.slots.Fit;
import io.carom.swiotlb.slots.Padded;
import org.jspecify.annotations.Nullable;

/** One stripe of a device's pool. Guarded by the stripe's lock. */
final class RecyclingStripe extends Padded {
  private static final int PAGE = 4096;
  private static final int GENEROSITY = 4; // a buffer may be larger than needed by a quarter

  private final Buffers buffers;
  private final Fit fit = new Fit();
  private final SizeClasses classes;
  private final Ceiling ceiling;
  private final long periodMs;
  private long nextAge = Long.MIN_VALUE;
  private int seenPressures;
  private @Nullable Extent fresh;
  private boolean justDenied;

  /** Slots in use; read by others without the lock. */
  long used;

  RecyclingStripe(final RecyclingSettings settings, final Ceiling ceiling) {
    classes = settings.classes();
    buffers = new Buffers(classes);
    this.ceiling = ceiling;
    periodMs = Math.max(1, settings.decayMs() / 2);
  }

  /** An extent that nobody asked for. */
  void grant(final Extent extent) {
    ceiling.add(extent.slots());
    buffers.push(buffers.add(extent, classes.within(extent.size())));
  }

  /** The extent that the request which is asked again now needs; it was reserved. */
  void grantNeeded(final Extent extent) {
    fresh = extent;
  }

  void denied() {
    justDenied = true;
  }

  void retract(final Extent extent) {
    buffers.remove(extent);
    ceiling.add(-extent.slots());
  }

  void allocate(
      final MapRequest request,
      final boolean maySleep,
      final Throttle throttle,
      final RecyclingPool pool,
      final Placement answer) {
    final Extent came = fresh;
    final boolean denied = justDenied;
    fresh = null;
    justDenied = false;
    final int sizeClass = classOf(request);
    if (sizeClass < 0) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    if (denied) {
      ceiling.add(-slotsOf(sizeClass));
    }
    if (!fit.allows(fit.atOrBehind(0))) { // longer than the boundary's distance
      answer.refuse(Refusal.FRAGMENTED);
      return;
    }
    if (came != null) {
      ceiling.add(came.slots() - slotsOf(sizeClass)); // by what it is not as it was reserved
      bounce(buffers.add(came, sizeClass), answer);
    } else if (maySleep && throttle.holds(pool.usedSlots())) {
      answer.refuse(Refusal.THROTTLED);
    } else if (!reuse(sizeClass, sizeClass + sizeClass / GENEROSITY, answer)) {
      make(request, sizeClass, denied, maySleep, pool, answer);
    }
  }

  /** The class that a request needs if the buffer is aligned as it asks for, or -1: too big. */
  private int classOf(final MapRequest request) {
    final int most = classes.largest();
    if (!fit.of(request, most)) {
      return -1;
    }
    final long padding = fit.atOrBehind(0); // as in a buffer at an aligned address
    final long bytes =
        request.allocAlignMask == 0
            ? padding + fit.offset() + request.size
            : padding + ((long) fit.slots() << Extent.SLOT_SHIFT);
    return bytes > most ? -1 : classes.of(bytes);
  }

  private boolean reuse(final int from, final int to, final Placement answer) {
    for (int c = buffers.filledClass(from, to);
        c != Buffers.NONE;
        c = buffers.filledClass(c + 1, to)) {
      final int buffer = buffers.take(c, fit);
      if (buffer != Buffers.NONE) {
        bounce(buffer, answer);
        return true;
      }
    }
    return false;
  }

  private void bounce(final int buffer, final Placement answer) {
    final long run = buffers.place(buffer, fit);
    if (run < 0) { // the core made something else than was asked for
      buffers.push(buffer);
      answer.refuse(Refusal.FRAGMENTED);
      return;
    }
    buffers.use(buffer, run);
    used += fit.slots();
    answer.bounce(run + fit.offset(), run, (long) fit.slots() << Extent.SLOT_SHIFT);
  }

  private void make(
      final MapRequest request,
      final int sizeClass,
      final boolean denied,
      final boolean maySleep,
      final RecyclingPool pool,
      final Placement answer) {
    if (!denied && ceiling.reserve(slotsOf(sizeClass))) {
      answer.needExtent(
          (long) slotsOf(sizeClass) << Extent.SLOT_SHIFT,
          (PAGE - 1) | request.minAlignMask | request.allocAlignMask | within(request));
      return;
    }
    // No room: a buffer that is far too large is better than none.
    if (reuse(sizeClass, classes.count() - 1, answer)) {
      return;
    }
    if (slotsOf(sizeClass) > ceiling.most) {
      answer.refuse(Refusal.TOO_BIG);
      return;
    }
    ceiling.press();
    // Who may sleep waits: at the ceiling for buffers in use, and where there is no memory for
    // free ones of other sizes, in whichever stripe, which the next ticks give back.
    final boolean waits = maySleep && (!denied || pool.largestFreeRun() != 0);
    answer.refuse(waits ? Refusal.THROTTLED : Refusal.FULL);
  }

  /** Alignment that keeps a run off the request's boundary wherever that is. */
  private long within(final MapRequest request) {
    if (request.boundaryMask < 0) {
      return 0;
    }
    final long end = fit.atOrBehind(0) + ((long) fit.slots() << Extent.SLOT_SHIFT);
    return (Long.highestOneBit(end - 1) << 1) - 1; // at most the boundary's own mask
  }

  /** Slots of the extent of a class: whole pages. */
  private int slotsOf(final int sizeClass) {
    return (classes.bytes(sizeClass) + PAGE - 1) / PAGE * (PAGE / Extent.SLOT_SIZE);
  }

  void release(final long run, final long bytes) {
    buffers.release(run);
    used -= bytes >> Extent.SLOT_SHIFT;
  }

  void tick(final long nowMs) {
    final int pressures = ceiling.pressures();
    if (pressures != seenPressures) {
      seenPressures = pressures;
      buffers.trimHalf();
    }
    if (nowMs >= nextAge) {
      nextAge = nowMs + periodMs;
      buffers.age();
    }
  }

  @Nullable Extent surplus() {
    final Extent extent = buffers.takeTrimmed();
    if (extent != null) {
      ceiling.add(-extent.slots());
    }
    return extent;
  }

  long totalSlots() {
    return buffers.slots();
  }

  long largestFree() {
    return buffers.largestFree();
  }
}
