package io.carom.swiotlb.growing;

import io.carom.dma.spi.Extent;
import io.carom.dma.spi.MapRequest;
import io.carom.dma.spi.Placement;
import io.carom.swiotlb.fixed.Area;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.slots.Fit;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A pool that was added, of one extent. Guarded by the stripe's lock. */
final class AddedPool {
  private static final byte NOBODY = -1;

  /** Its slots. */
  final Area area;

  /** Its memory. */
  final Extent extent;

  private final @Nullable ActivePools active;
  private final int number;
  private final byte[] owners;
  private long idleSince = -1;

  /**
   * An empty pool.
   *
   * @param active the list that it is to be kept in, or null
   */
  AddedPool(final Extent extent, final Fitting fitting, final @Nullable ActivePools active) {
    this.extent = extent;
    this.active = active;
    number = active == null ? -1 : active.number();
    // The end of a mapping does not say whose it was: kept where the run begins.
    owners = new byte[number < 0 ? 0 : extent.slots()];
    Arrays.fill(owners, NOBODY);
    area = new Area(fitting);
    area.grant(extent);
  }

  /** Whether it is one of the pools of a list. */
  boolean in(final long pools) {
    return number >= 0 && (pools >>> number & 1) != 0;
  }

  /** As {@link Area#allocate}. */
  boolean allocate(final Fit fit, final MapRequest request, final Placement answer) {
    if (!area.allocate(fit, answer)) {
      return false;
    }
    idleSince = -1;
    if (active != null && number >= 0) {
      owners[slot(answer.runAddress())] = (byte) active.mapped(request.device, number);
    }
    return true;
  }

  /** As {@link Area#release}. */
  boolean release(final long runAddress, final long runBytes) {
    if (!area.release(runAddress, runBytes)) {
      return false;
    }
    if (active != null && number >= 0) {
      final byte owner = owners[slot(runAddress)];
      if (owner != NOBODY) {
        owners[slot(runAddress)] = NOBODY;
        active.unmapped(owner, number);
      }
    }
    return true;
  }

  private int slot(final long runAddress) {
    return (int) ((runAddress - extent.busAddress()) >> Extent.SLOT_SHIFT);
  }

  /** Whether nothing has been mapped in it for a time; asked at each tick. */
  boolean idle(final long nowMs, final long idleMs) {
    if (area.usedSlots() != 0) {
      idleSince = -1;
    } else if (idleSince < 0) {
      idleSince = nowMs;
    } else {
      return nowMs - idleSince >= idleMs;
    }
    return false;
  }

  /** It goes. */
  void retire() {
    if (active != null) {
      active.retire(number);
    }
  }
}
