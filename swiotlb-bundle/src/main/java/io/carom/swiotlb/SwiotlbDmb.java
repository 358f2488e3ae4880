package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.dmb.DmbScheme;
import io.carom.swiotlb.dmb.DmbSettings;
import io.carom.swiotlb.dmb.DmbStrategy;
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
 * The service of {@link DmbStrategy}. A change of its configuration changes its service properties,
 * at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbDmb.PID,
    property = DmaStrategy.NAME + "=" + DmbStrategy.SWIOTLB_DMB)
@Designate(ocd = SwiotlbDmb.Config.class)
public final class SwiotlbDmb extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.dmb";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbDmb.class);

  private final DmbStrategy strategy;

  /** Configuration of a pool of pages. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-dmb",
      description = "Bounce memory by pages, as drivers of VIRTIO_F_DMB hand it out")
  public @interface Config {
    /** Scheme. */
    @AttributeDefinition(
        name = "scheme",
        description =
            "plain: whole pages for each entry, whoever comes first, as the proposal's driver; "
                + "shared: small entries share pages of their own queue, and each queue has a "
                + "reserve")
    String scheme() default "shared";

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

    /** Reserve. */
    @AttributeDefinition(
        name = "reservePercent",
        description =
            "Share of the pool that the reserves of all queues take together, 0 to 50; for "
                + "scheme=shared")
    int reservePercent() default DmbSettings.RESERVE_PERCENT;
  }

  /** With its configuration. */
  @Activate
  public SwiotlbDmb(final Config config, final Map<String, Object> properties) {
    DmbSettings settings = DmbSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new DmbStrategy(settings);
  }

  private static DmbSettings settings(final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new DmbSettings(
        DmbScheme.parse(check.value("scheme", config::scheme)),
        check.value("slots", config::slots),
        check.value("areas", config::areas),
        check.value("reservePercent", config::reservePercent));
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
