package io.carom.swiotlb.slots;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The extents of one stripe that exist for one mapping each, and the question and answer by which
 * they are had. Guarded by the stripe's lock.
 *
 * <p>A strategy asks with {@link #ask}. The core leaves it, and other maps may come in between. It
 * comes back with {@link #grant} or {@link #deny} and, under the same hold of the lock, with the
 * same request once more, which finds {@link #answered}: no other can. Which extent a mapping has
 * needs no table: a run that lies in no planned slot set is one of these.
 */
public final class NeededExtents {
  private static final int FEW = 4;

  private boolean answered;
  private @Nullable Extent granted;
  private Extent @Nullable [] surplus;
  private int surplusCount;
  private long slots;

  /** None. */
  public NeededExtents() {}

  /** Whether the request that comes now is the one that was asked for. */
  public boolean answered() {
    return answered;
  }

  /** The core granted what was asked for. */
  public void grant(final Extent extent) {
    answered = true;
    giveUp(); // never two in a row; if it were so, the first is not lost
    granted = extent;
  }

  /** There was none to be had. */
  public void deny() {
    answered = true;
  }

  /**
   * Asks for an extent that the run of a request fits in wherever its address bits must be kept.
   */
  public void ask(final Fit fit, final Placement answer) {
    answer.needExtent(fit.lead() + ((long) fit.slots() << Extent.SLOT_SHIFT), fit.aloneMask());
  }

  /**
   * Places the request that was asked for in what was granted for it.
   *
   * @return false when nothing was, or it does not do: the extent is given back by {@link
   *     #surplus()}
   */
  public boolean place(final Fit fit, final MapRequest request, final Placement answer) {
    answered = false;
    final Extent extent = granted;
    if (extent == null) {
      return false;
    }
    final long run = extent.busAddress() + fit.lead();
    final long bytes = (long) fit.slots() << Extent.SLOT_SHIFT;
    final long last = run + fit.offset() + request.size - 1; // below 2^48
    if (bytes > extent.end() - run
        || !fit.allows(run)
        || Long.compareUnsigned(last, request.dmaMask) > 0) {
      giveUp();
      return false;
    }
    granted = null;
    slots += fit.slots();
    answer.bounce(run + fit.offset(), run, bytes);
    return true;
  }

  private void giveUp() {
    final Extent extent = granted;
    if (extent != null) {
      granted = null;
      dispose(extent);
    }
  }

  /** Gives an extent back, that nothing is in, by {@link #surplus()}. */
  public void dispose(final Extent extent) {
    Extent[] now = surplus;
    if (now == null) {
      now = new Extent[FEW];
    } else if (surplusCount == now.length) {
      now = Arrays.copyOf(now, surplusCount * 2);
    }
    now[surplusCount++] = extent;
    surplus = now;
  }

  /** The next extent to give back, or null. */
  public @Nullable Extent surplus() {
    return surplusCount == 0 || surplus == null ? null : surplus[--surplusCount];
  }

  /** The mapping of a run ended, whose extent goes back to the core by the return of release. */
  public void release(final long runBytes) {
    slots -= runBytes >> Extent.SLOT_SHIFT;
  }

  /** The core takes an extent back that no mapping is in; false when it is none of these. */
  public boolean retract(final Extent extent) {
    if (granted != null && granted.id() == extent.id()) {
      granted = null;
      return true;
    }
    final Extent[] now = surplus;
    for (int i = 0; now != null && i < surplusCount; i++) {
      if (now[i].id() == extent.id()) {
        now[i] = now[--surplusCount];
        return true;
      }
    }
    return false;
  }

  /** Slots of mappings in such extents; without the lock a little old. */
  public long slots() {
    return slots;
  }
}
