package io.carom.iommu.pool;

import io.carom.dma.spi.DmaStrategy;
import io.carom.dma.spi.FlushPlan;
import io.carom.iommu.pool.remap.RemapStrategy;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The service of the lazy {@link RemapStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation.
 */
@Component(
    service = DmaStrategy.class,
    configurationPid = IommuLazy.PID,
    property = {DmaStrategy.NAME + "=" + RemapStrategy.IOMMU_LAZY, "service.ranking:Integer=-1001"})
@Designate(ocd = IommuLazy.Config.class)
public final class IommuLazy extends ServedStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.iommu.lazy";

  private static final Logger LOG = LoggerFactory.getLogger(IommuLazy.class);
  private static final String STRIPED = "striped";
  private static final String SINGLE = "single";

  private final RemapStrategy strategy;

  /** Configuration of the lazy strategy. */
  @ObjectClassDefinition(
      name = "Carom iommu-lazy",
      description = "Buffers mapped in the device's IOMMU domain, flushed from a queue")
  public @interface Config {
    /** Queue. */
    @AttributeDefinition(
        name = "queue",
        description =
            "How ranges wait for their flush: striped (256 for each stripe, 10 ms) or single"
                + " (32768 for the domain, 1 s)")
    String queue() default STRIPED;
  }

  /** With its configuration. */
  @Activate
  public IommuLazy(final Config config, final Map<String, Object> properties) {
    FlushPlan plan = FlushPlan.STRIPED;
    try {
      plan = plan(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = RemapStrategy.lazy(plan);
  }

  private static FlushPlan plan(final Config config, final Map<String, Object> properties) {
    final String queue = ConfigCheck.names(properties, Config.class).value("queue", config::queue);
    return switch (queue) {
      case STRIPED -> FlushPlan.STRIPED;
      case SINGLE -> FlushPlan.SINGLE;
      default ->
          throw new IllegalArgumentException(
              "queue='" + queue + "' is none of " + STRIPED + ", " + SINGLE);
    };
  }

  @Modified
  void modified(final Config config, final Map<String, Object> properties) {
    try {
      strategy.plan(plan(config, properties));
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; nothing was changed", PID, e.getMessage());
    }
  }

  @Override
  DmaStrategy strategy() {
    return strategy;
  }
}
