package io.carom.dma.spi;

import io.carom.dma.ExtentKind;
import org.jspecify.annotations.Nullable;

/**
 * What an instance is opened for.
 *
 * @param device the one device it will serve, or null when it is shared
 * @param extents kind of its bounce memory, or null for a strategy that never bounces
 * @param availableBytes most bounce memory that it can ever get: the region's share for a device,
 *     the RAM below the limit for RAM
 * @param cpus processors of the machine; the usual number of stripes
 * @param slots slots of 2 KiB that the {@code swiotlb=} parameter asks for, or 0: the strategy's
 *     own
 * @param areas areas that it asks for, or 0: the strategy's own
 * @param restricted whether the pool is bound to named devices: extents come from one range only,
 *     and there is nothing beyond it
 * @param iova addresses of the IOMMU domain that the pool is for, where {@code extents} is IOVA;
 *     the domain's devices share it
 */
public record PoolSpec(
    @Nullable String device,
    @Nullable ExtentKind extents,
    long availableBytes,
    int cpus,
    long slots,
    int areas,
    boolean restricted,
    @Nullable IovaSpace iova) {
  /** An unrestricted pool that the {@code swiotlb=} parameter says nothing about. */
  public PoolSpec(
      final @Nullable String device,
      final @Nullable ExtentKind extents,
      final long availableBytes,
      final int cpus) {
    this(device, extents, availableBytes, cpus, 0, 0, false, null);
  }

  /** A pool that is in no domain. */
  public PoolSpec(
      final @Nullable String device,
      final @Nullable ExtentKind extents,
      final long availableBytes,
      final int cpus,
      final long slots,
      final int areas,
      final boolean restricted) {
    this(device, extents, availableBytes, cpus, slots, areas, restricted, null);
  }
}
