package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.magazine.MagazineSettings;
import io.carom.swiotlb.magazine.MagazineStrategy;
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
 * The service of {@link MagazineStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbMagazine.PID,
    property = DmaStrategy.NAME + "=" + MagazineStrategy.SWIOTLB_MAGAZINE)
@Designate(ocd = SwiotlbMagazine.Config.class)
public final class SwiotlbMagazine extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.magazine";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbMagazine.class);

  private final MagazineStrategy strategy;

  /** Configuration of the magazine pool. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-magazine",
      description = "Magazines of recently freed buffers over a bitmap")
  public @interface Config {
    /** Size. */
    @AttributeDefinition(
        name = "slots",
        description =
            "Slots of 2 KiB that a pool in RAM has at most, rounded up to 128; 0 means an eighth of"
                + " low RAM, at least 1 MiB and at most 64 MiB. A pool in a device's region takes"
                + " the region")
    long slots() default 0;

    /** Areas. */
    @AttributeDefinition(
        name = "areas",
        description = "Stripes, rounded up to a power of two; 0 means one for each processor")
    int areas() default 0;

    /** Extents. */
    @AttributeDefinition(
        name = "extentKiB",
        description =
            "KiB of an extent, and so of the largest mapping, a power of two in 256..4096; 0 means"
                + " a quarter of a stripe in RAM, and a sixteenth, at most 1024, in a device's"
                + " region")
    int extentKiB() default 0;

    /** Floor. */
    @AttributeDefinition(name = "idleSlots", description = "Slots of 2 KiB that an idle pool keeps")
    long idleSlots() default MagazineSettings.IDLE_SLOTS;

    /** Idle time. */
    @AttributeDefinition(
        name = "idleMs",
        description = "Milliseconds that an extent is empty before it is given back")
    long idleMs() default MagazineSettings.IDLE_MS;
  }

  /** With its configuration. */
  @Activate
  public SwiotlbMagazine(final Config config, final Map<String, Object> properties) {
    MagazineSettings settings = MagazineSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new MagazineStrategy(settings);
  }

  private static MagazineSettings settings(
      final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new MagazineSettings(
        check.value("slots", config::slots),
        check.value("areas", config::areas),
        check.value("extentKiB", config::extentKiB),
        check.value("idleSlots", config::idleSlots),
        check.value("idleMs", config::idleMs));
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
