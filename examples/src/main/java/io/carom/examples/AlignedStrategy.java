package io.carom.examples;

import io.carom.dma.ExtentKind;
import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.PoolSpec;
import io.carom.dma.spi.StrategyInstance;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import org.osgi.service.component.annotations.Component;

/**
 * Bounces in runs whose size is a power of two and which begin at a multiple of it: then no
 * alignment and no boundary needs a thought. The service is all that makes it swappable.
 */
@Component(property = DmaStrategy.NAME + "=" + AlignedStrategy.NAME_OF_IT)
public final class AlignedStrategy implements DmaStrategy {
  /** Its name. */
  public static final String NAME_OF_IT = "example-aligned";

  /** The strategy; it has nothing to configure. */
  public AlignedStrategy() {}

  @Override
  public String description() {
    return "example: aligned runs of powers of two, first fit";
  }

  @Override
  public Set<ExtentKind> extents() {
    return Collections.unmodifiableSet(EnumSet.of(ExtentKind.RAM, ExtentKind.DEVICE));
  }

  @Override
  public StrategyInstance open(final PoolSpec spec) {
    return new AlignedPool(spec);
  }
}
