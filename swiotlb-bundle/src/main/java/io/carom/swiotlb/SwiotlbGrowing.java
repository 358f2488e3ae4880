package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.fixed.Fitting;
import io.carom.swiotlb.growing.GrowingSettings;
import io.carom.swiotlb.growing.GrowingStrategy;
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
 * The service of {@link GrowingStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbGrowing.PID,
    property = {
      DmaStrategy.NAME + "=" + GrowingStrategy.SWIOTLB_GROWING,
      "service.ranking:Integer=70"
    })
@Designate(ocd = SwiotlbGrowing.Config.class)
public final class SwiotlbGrowing extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.growing";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbGrowing.class);

  private final GrowingStrategy strategy;

  /** Configuration of the growing strategy. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-growing",
      description = "Fixed pool that more pools are added to when it is full")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slots",
        description =
            "Slots of 2 KiB that a pool in RAM begins with, rounded up to 128; 0 means an "
                + "eighth of low RAM, at least 1 MiB and at most 64 MiB. A pool in a device's "
                + "region begins with a quarter of it")
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

    /** Size of what is added. */
    @AttributeDefinition(
        name = "growBytes",
        description =
            "Bytes of each pool that is added, rounded up to 256 KiB; smaller ones where "
                + "memory is short")
    long growBytes() default GrowingSettings.DEFAULT_GROW_BYTES;

    /** Ceiling. */
    @AttributeDefinition(
        name = "maxSlots",
        description =
            "Most slots of 2 KiB of a pool in RAM with all that was added, and memory for "
                + "single mappings; 0 means half of low RAM. A pool in a device's region may take "
                + "the region")
    long maxSlots() default 0;

    /** Give-back. */
    @AttributeDefinition(
        name = "idleMs",
        description = "Milliseconds after which an added pool without mappings is given back")
    long idleMs() default GrowingSettings.DEFAULT_IDLE_MS;

    /** Watermark. */
    @AttributeDefinition(
        name = "growAtPercent",
        description =
            "Percent of the slots in use at which a pool is added; 100 means when a map "
                + "finds no room")
    int growAtPercent() default GrowingSettings.DEFAULT_GROW_AT_PERCENT;

    /** Active pools. */
    @AttributeDefinition(
        name = "activePools",
        description =
            "A device's maps look first in those added pools that the device has mappings " + "in")
    boolean activePools() default false;
  }

  /** With its configuration. */
  @Activate
  public SwiotlbGrowing(final Config config, final Map<String, Object> properties) {
    GrowingSettings settings = GrowingSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new GrowingStrategy(settings);
  }

  private static GrowingSettings settings(
      final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new GrowingSettings(
        check.value("slots", config::slots),
        check.value("areas", config::areas),
        Fitting.parse(check.value("placement", config::placement)),
        check.value("growBytes", config::growBytes),
        check.value("maxSlots", config::maxSlots),
        check.value("idleMs", config::idleMs),
        check.value("growAtPercent", config::growAtPercent),
        check.value("activePools", config::activePools));
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
