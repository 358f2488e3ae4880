package io.carom.iommu.pool;

import io.carom.dma.spi.DmaStrategy;
import io.carom.iommu.pool.remap.RemapStrategy;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * The service of the strict {@link RemapStrategy}. Nothing can be configured. Ranked below what
 * bounces without an IOMMU, as all strategies here: it is used where it is asked for.
 */
@Component(
    service = DmaStrategy.class,
    property = {
      DmaStrategy.NAME + "=" + RemapStrategy.IOMMU_STRICT,
      "service.ranking:Integer=-1000"
    })
public final class IommuStrict extends ServedStrategy {
  private final RemapStrategy strategy = RemapStrategy.strict();

  /** The service. */
  @Activate
  public IommuStrict() {}

  @Override
  DmaStrategy strategy() {
    return strategy;
  }
}
