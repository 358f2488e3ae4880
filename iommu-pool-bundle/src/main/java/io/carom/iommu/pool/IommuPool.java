package io.carom.iommu.pool;

import io.carom.dma.spi.DmaStrategy;
import io.carom.iommu.pool.slots.BounceLimit;
import io.carom.iommu.pool.slots.PoolSettings;
import io.carom.iommu.pool.slots.PoolStrategy;
import io.carom.iommu.pool.slots.Zeroing;
import java.util.Dictionary;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Configures {@link PoolStrategy} and registers it.
 *
 * <p>It registers the service itself, because the DMA core makes a new generation whenever the
 * properties of a strategy's service change, and Declarative Services republishes all of a
 * component's configuration as such. The bounce limit is to be tuned while mappings live, in the
 * pools that there are: it is no property of the service, so a change of it alone changes nothing
 * that the core sees. All else is, and comes with a new generation.
 */
@Component(
    configurationPid = IommuPool.PID,
    immediate = true,
    service = {})
@Designate(ocd = IommuPool.Config.class)
public final class IommuPool {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.iommu.pool";

  private static final Logger LOG = LoggerFactory.getLogger(IommuPool.class);
  private static final int RANKING = -1002;

  private final BounceLimit limit = new BounceLimit(BounceLimit.DEFAULT);
  private final PoolStrategy strategy;
  private final ServiceRegistration<DmaStrategy> registration;

  /** Configuration of the pools. */
  @ObjectClassDefinition(
      name = "Carom iommu-pool",
      description = "Bounce buffers that stay mapped in the device's IOMMU domain")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slotsPerClass",
        description =
            "Slots of each of the eight size classes, 1 to 1048576; fewer where they would take"
                + " more than half of the addresses that the domain's first device can form")
    int slotsPerClass() default PoolSettings.SLOTS_PER_CLASS;

    /** Limit. */
    @AttributeDefinition(
        name = "alwaysBounceLimit",
        description =
            "Bytes up to which buffers are bounced that need not be (always_bounce_limit); changed"
                + " in place, for maps from then on")
    long alwaysBounceLimit() default BounceLimit.DEFAULT;

    /** Zeroing. */
    @AttributeDefinition(
        name = "zeroing",
        description =
            "What is cleared in buffers: necessary-only (the rest of a new one), tail-on-reuse"
                + " (also what an earlier mapping left) or always (also what is in it, at unmap)")
    String zeroing() default "necessary-only";

    /** Eviction. */
    @AttributeDefinition(
        name = "evictMs",
        description =
            "Period in milliseconds: a buffer that is idle for one to two of them is given back")
    long evictMs() default PoolSettings.EVICT_MS;
  }

  /** Registers the strategy. */
  @Activate
  public IommuPool(
      final BundleContext context, final Config config, final Map<String, Object> properties) {
    PoolSettings settings = PoolSettings.DEFAULTS;
    try {
      settings = apply(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new PoolStrategy(settings, limit);
    registration = context.registerService(DmaStrategy.class, strategy, published(settings));
  }

  /** Checks all, then sets the limit; the settings are the caller's to set. */
  private PoolSettings apply(final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    final PoolSettings settings =
        new PoolSettings(
            check.value("slotsPerClass", config::slotsPerClass),
            Zeroing.parse(check.value("zeroing", config::zeroing)),
            check.value("evictMs", config::evictMs));
    limit.set(check.value("alwaysBounceLimit", config::alwaysBounceLimit));
    return settings;
  }

  private static Dictionary<String, Object> published(final PoolSettings settings) {
    return FrameworkUtil.asDictionary(
        Map.of(
            DmaStrategy.NAME,
            PoolStrategy.IOMMU_POOL,
            Constants.SERVICE_RANKING,
            RANKING,
            "slotsPerClass",
            settings.slotsPerClass(),
            "zeroing",
            settings.zeroing().toString(),
            "evictMs",
            settings.evictMs()));
  }

  @Modified
  void modified(final Config config, final Map<String, Object> properties) {
    final PoolSettings settings;
    try {
      settings = apply(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; nothing was changed", PID, e.getMessage());
      return;
    }
    if (!settings.equals(strategy.settings())) {
      strategy.settings(settings);
      registration.setProperties(published(settings));
    }
  }

  @Deactivate
  void deactivate() {
    registration.unregister();
  }
}
