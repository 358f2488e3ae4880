package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.lent.LentSettings;
import io.carom.swiotlb.lent.LentStrategy;
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
 * The service of {@link LentStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbLent.PID,
    property = DmaStrategy.NAME + "=" + LentStrategy.SWIOTLB_LENT)
@Designate(ocd = SwiotlbLent.Config.class)
public final class SwiotlbLent extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.lent";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbLent.class);

  private final LentStrategy strategy;

  /** Configuration of the lending pool. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-lent",
      description = "One large range whose unused part is lent")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slots",
        description =
            "Slots of 2 KiB of the range in RAM, rounded up to 128; 0 means a quarter of low RAM,"
                + " at least 2 MiB and at most 256 MiB. A pool in a device's region takes the"
                + " region")
    long slots() default 0;

    /** Areas. */
    @AttributeDefinition(
        name = "areas",
        description = "Stripes with a range each, rounded up to a power of two")
    int areas() default LentSettings.AREAS;

    /** Low mark. */
    @AttributeDefinition(
        name = "lowPercent",
        description =
            "Percent of the range that are to be free; below it lent pages are wanted back, until"
                + " twice as much is free")
    int lowPercent() default LentSettings.LOW_PERCENT;

    /** Cap. */
    @AttributeDefinition(
        name = "lendPercent",
        description = "Percent of the range that are lent at most, up to 80; 0 lends nothing")
    int lendPercent() default LentSettings.LEND_PERCENT;
  }

  /** With its configuration. */
  @Activate
  public SwiotlbLent(final Config config, final Map<String, Object> properties) {
    LentSettings settings = LentSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new LentStrategy(settings);
  }

  private static LentSettings settings(final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new LentSettings(
        check.value("slots", config::slots),
        check.value("areas", config::areas),
        check.value("lowPercent", config::lowPercent),
        check.value("lendPercent", config::lendPercent));
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
