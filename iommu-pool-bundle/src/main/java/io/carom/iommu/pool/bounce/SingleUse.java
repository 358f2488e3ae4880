package io.carom.iommu.pool.bounce;

import io.carom.dma.spi.Extent;
import org.jspecify.annotations.Nullable;

/** A buffer with a lease of its own. Guarded by its stripe's lock. */
final class SingleUse {
  /** The core was asked for it. */
  static final int ASKED = 0;

  /** A mapping has it. */
  static final int IN_FLIGHT = 1;

  /** Mapped and idle. */
  static final int IDLE = 2;

  /** Given back, not disposed of yet. */
  static final int EVICTING = 3;

  /** The IOMMU did not unmap it: it is lost. */
  static final int LEAKED = 4;

  final long iova;
  final long bytes;
  final int list;
  final int stripe;
  int state = ASKED;
  @Nullable Extent extent;

  SingleUse(final long iova, final long bytes, final int list, final int stripe) {
    this.iova = iova;
    this.bytes = bytes;
    this.list = list;
    this.stripe = stripe;
  }
}
