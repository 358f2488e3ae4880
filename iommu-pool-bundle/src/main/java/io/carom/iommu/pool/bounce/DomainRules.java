package io.carom.iommu.pool.bounce;

import io.carom.dma.ExtentKind;
import io.carom.dma.Negotiation;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.PoolSpec;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What holds for each strategy behind an IOMMU. */
public final class DomainRules {
  /** All that they bounce in. */
  public static final Set<ExtentKind> EXTENTS = Set.of(ExtentKind.IOVA);

  private DomainRules() {}

  /** Why a device may not be served, or null. */
  public static @Nullable String refusal(final Negotiation negotiation) {
    if (negotiation.swiotlb()) {
      return "the device accepted VIRTIO_F_SWIOTLB, so every address must lie in its region, which"
          + " no IOMMU translates";
    }
    return negotiation.accessPlatform()
        ? null
        : "the device did not negotiate VIRTIO_F_ACCESS_PLATFORM, so its addresses are not"
            + " translated";
  }

  /** The domain of a pool. */
  public static IovaSpace space(final PoolSpec spec) {
    final IovaSpace space = spec.iova();
    if (space == null) {
      throw new IllegalArgumentException(
          "a pool behind an IOMMU needs a domain; extents=" + spec.extents() + " has none");
    }
    return space;
  }

  /** One stripe for each processor, rounded up to a power of two. */
  public static int stripes(final PoolSpec spec) {
    final int cpus = Math.clamp(spec.cpus(), 1, 1 << 10);
    return cpus == 1 ? 1 : Integer.highestOneBit(cpus - 1) << 1;
  }
}
