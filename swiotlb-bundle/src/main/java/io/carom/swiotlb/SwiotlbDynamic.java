package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.dynamic.DynamicSettings;
import io.carom.swiotlb.dynamic.DynamicStrategy;
import io.carom.swiotlb.fixed.Fitting;
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
 * The service of {@link DynamicStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbDynamic.PID,
    property = {
      DmaStrategy.NAME + "=" + DynamicStrategy.SWIOTLB_DYNAMIC,
      "service.ranking:Integer=60"
    })
@Designate(ocd = SwiotlbDynamic.Config.class)
public final class SwiotlbDynamic extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.dynamic";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbDynamic.class);

  private final DynamicStrategy strategy;

  /** Configuration of the dynamic strategy. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-dynamic",
      description = "Memory of its own for each mapping, a small fixed pool behind it")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slots",
        description =
            "Slots of 2 KiB of the fixed pool behind it, rounded up to 128; 0 means 512, or "
                + "128 for each area if that is more; in a device's region at most a quarter of "
                + "it")
    long slots() default 0;

    /** Areas. */
    @AttributeDefinition(
        name = "areas",
        description =
            "Areas with locks of their own, rounded up to a power of two; 0 means one for "
                + "each processor")
    int areas() default 0;

    /** Placement. */
    @AttributeDefinition(
        name = "placement",
        description =
            "Where a search for free slots begins: next-fit (the kernel's), first-fit, lifo "
                + "(what was freed last), or auto: next-fit in RAM, first-fit in a device's "
                + "region")
    String placement() default "auto";
  }

  /** With its configuration. */
  @Activate
  public SwiotlbDynamic(final Config config, final Map<String, Object> properties) {
    DynamicSettings settings = DynamicSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new DynamicStrategy(settings);
  }

  private static DynamicSettings settings(
      final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new DynamicSettings(
        check.value("slots", config::slots),
        check.value("areas", config::areas),
        Fitting.parse(check.value("placement", config::placement)));
  }

  @Modified
  void modified(final Config config, final Map<String, Object> properties) {
    try {
      strategy.settings(settings(config, properties));
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; nothing was changed", PID, e.getMessage());
    }
  }

  @Override
  DmaStrategy strategy() {
    return strategy;
  }
}
