package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.fixed.FixedSettings;
import io.carom.swiotlb.fixed.FixedStrategy;
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
 * The service of {@link FixedStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbFixed.PID,
    property = {
      DmaStrategy.NAME + "=" + FixedStrategy.SWIOTLB_FIXED,
      "service.ranking:Integer=100"
    })
@Designate(ocd = SwiotlbFixed.Config.class)
public final class SwiotlbFixed extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.fixed";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbFixed.class);

  private final FixedStrategy strategy;

  /** Configuration of the fixed pool. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-fixed",
      description = "Linux's fixed software IO TLB pool")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slots",
        description =
            "Slots of 2 KiB of a pool in RAM, rounded up to 128; 0 means an eighth of low "
                + "RAM, at least 1 MiB and at most 64 MiB. A pool in a device's region takes the "
                + "region")
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
  public SwiotlbFixed(final Config config, final Map<String, Object> properties) {
    FixedSettings settings = FixedSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new FixedStrategy(settings);
  }

  private static FixedSettings settings(final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new FixedSettings(
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
