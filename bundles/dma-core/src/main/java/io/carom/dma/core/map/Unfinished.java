package io.carom.dma.core.map;

import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.Pieces;
import io.carom.dma.core.pool.ExtentState;
import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.Pool;
import io.carom.dma.core.pool.Stripe;
import io.carom.dma.spi.Refusal;
import io.carom.iommu.IommuStatus;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a map still needs when its stripe has been left: an extent that is to be made, or an address
 * that the IOMMU is to map. Nothing of this happens under a lock.
 */
abstract class Unfinished extends Placer {
  Unfinished(final CoreTables tables, final DmaDeviceSpec spec, final Generation none) {
    super(tables, spec, none);
  }

  /**
   * Does outside every lock what a map still needs: makes the extent and asks the stripe once more,
   * or has the IOMMU map what the record promises.
   *
   * @param list how the list is laid out that is mapped as one, or null
   */
  final long finish(
      final long unfinished,
      final Generation generation,
      final Pool pool,
      final Stripe stripe,
      final long me,
      final long offset,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final @Nullable Pieces list,
      final int how) {
    if (unfinished >= REMAPS) {
      return remapped(
          (unfinished - REMAPS) << PAGE_SHIFT, generation, stripe, address, size, direction, list);
    }
    final ExtentState made = make(unfinished, pool, attributes);
    final boolean at = unfinished >= NEEDS_AT;
    long answer = REFUSED - Refusal.FULL.ordinal();
    if (stripe.lock(me)) {
      stripe.made = made;
      if (made == null && at) {
        pool.denied(stripe, iova(unfinished)); // also if it is not asked again
      }
      write(stripe.request, address, size, direction, attributes, list);
      answer =
          place(
              generation,
              generation.cell(stripe.index),
              pool,
              pool.instance(),
              stripe,
              offset,
              how | (made != null ? MADE : at ? DENIED_AT : DENIED));
    }
    if (made != null && !made.needed()) {
      // Not granted: the generation or the stripe is not what it was.
      final boolean gone = pool.unmake(made);
      if (at) {
        late(pool, stripe, me, made, gone, iova(unfinished));
      }
    }
    return answer >= REMAPS && answer < UNFINISHED
        ? remapped(
            (answer - REMAPS) << PAGE_SHIFT, generation, stripe, address, size, direction, list)
        : answer;
  }

  /** The address at which pages are needed. */
  private static long iova(final long unfinished) {
    return (unfinished - NEEDS_AT) >> (PERMISSION_BITS + PAGES_BITS) << PAGE_SHIFT;
  }

  /** Tells a strategy of pages that came too late for the map that they were for. */
  private static void late(
      final Pool pool,
      final Stripe stripe,
      final long me,
      final ExtentState made,
      final boolean gone,
      final long iova) {
    if (stripe.lock(me)) {
      try {
        if (gone) {
          pool.denied(stripe, iova);
        } else {
          pool.lost(stripe, made);
        }
      } finally {
        stripe.unlock();
      }
    }
  }

  private @Nullable ExtentState make(final long unfinished, final Pool pool, final int attributes) {
    if (unfinished >= NEEDS_AT) {
      final long code = unfinished - NEEDS_AT;
      final int permissions = (int) code & ((1 << PERMISSION_BITS) - 1);
      final long pages = (code >> PERMISSION_BITS) & ((1 << PAGES_BITS) - 1);
      return pool.makeAt(iova(unfinished), pages << PAGE_SHIFT, permissions);
    }
    final long code = unfinished - NEEDS;
    return pool.make(
        code >> ALIGN_BITS << PAGE_SHIFT,
        (1L << (code & ((1 << ALIGN_BITS) - 1))) - 1,
        dmaMask,
        (attributes & DmaAttributes.MAY_SLEEP) != 0);
  }

  /** Has the IOMMU map a record that was published as MAPPING; undone when it refuses. */
  private long remapped(
      final long iova,
      final Generation generation,
      final Stripe stripe,
      final long address,
      final long size,
      final DmaDirection direction,
      final @Nullable Pieces list) {
    final DmaDomain space = Objects.requireNonNull(domain());
    final int status =
        list == null
            ? space.map(iova, address, size, direction.ordinal())
            : space.map(iova, list, direction.ordinal());
    if (status == IommuStatus.OK) {
      space.remaps().live(iova);
      return iova + (address & space.granuleMask());
    }
    space.remaps().undo(iova, generation);
    space
        .addresses()
        .giveBack(stripe.index, iova, list == null ? space.ioBytes(address, size) : list.ioBytes());
    return REFUSED - Failures.IOMMU;
  }
}
