package io.carom.swiotlb;

import io.carom.dma.spi.DmaStrategy;
import io.carom.swiotlb.recycling.RecyclingSettings;
import io.carom.swiotlb.recycling.RecyclingStrategy;
import io.carom.swiotlb.recycling.SizeClasses;
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
 * The service of {@link RecyclingStrategy}. A change of its configuration changes its service
 * properties, at which the DMA core makes a new generation with a new pool.
 */
@Component(
    configurationPid = SwiotlbRecycling.PID,
    property = DmaStrategy.NAME + "=" + RecyclingStrategy.SWIOTLB_RECYCLING)
@Designate(ocd = SwiotlbRecycling.Config.class)
public final class SwiotlbRecycling extends ServedStrategy implements DmaStrategy {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.swiotlb.recycling";

  private static final Logger LOG = LoggerFactory.getLogger(SwiotlbRecycling.class);

  private final RecyclingStrategy strategy;

  /** Configuration of the recycling pools. */
  @ObjectClassDefinition(
      name = "Carom swiotlb-recycling",
      description = "Buffers of a device by size class, kept after unmap")
  public @interface Config {
    /** Ceiling. */
    @AttributeDefinition(
        name = "maxSlots",
        description =
            "Slots of 2 KiB of a device's buffers in RAM at most; 0 means an eighth of low RAM, at"
                + " least 1 MiB and at most 64 MiB. In a device's region the region is the ceiling")
    long maxSlots() default 0;

    /** Areas. */
    @AttributeDefinition(
        name = "areas",
        description = "Stripes, rounded up to a power of two; 0 means one for each processor")
    int areas() default 0;

    /** Size classes. */
    @AttributeDefinition(
        name = "classes",
        description =
            "Sizes of buffers: slots (multiples of 2 KiB) or cc (512 B, 2, 4, 16 and 512 KiB, as"
                + " cc-swiotlb); 512 B count as one slot, and each buffer takes whole pages")
    String classes() default "slots";

    /** Decay. */
    @AttributeDefinition(
        name = "decayMs",
        description = "Milliseconds that a buffer is not needed before it is given back")
    long decayMs() default RecyclingSettings.DECAY_MS;

    /** High mark. */
    @AttributeDefinition(
        name = "highPercent",
        description = "Percent of the ceiling above which mappers that may sleep wait")
    int highPercent() default RecyclingSettings.HIGH_PERCENT;

    /** Low mark. */
    @AttributeDefinition(
        name = "lowPercent",
        description = "Percent of the ceiling below which they go on")
    int lowPercent() default RecyclingSettings.LOW_PERCENT;
  }

  /** With its configuration. */
  @Activate
  public SwiotlbRecycling(final Config config, final Map<String, Object> properties) {
    RecyclingSettings settings = RecyclingSettings.DEFAULTS;
    try {
      settings = settings(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; the defaults are used", PID, e.getMessage());
    }
    strategy = new RecyclingStrategy(settings);
  }

  private static RecyclingSettings settings(
      final Config config, final Map<String, Object> properties) {
    final ConfigCheck check = ConfigCheck.names(properties, Config.class);
    return new RecyclingSettings(
        check.value("maxSlots", config::maxSlots),
        check.value("areas", config::areas),
        SizeClasses.parse(check.value("classes", config::classes)),
        check.value("decayMs", config::decayMs),
        check.value("highPercent", config::highPercent),
        check.value("lowPercent", config::lowPercent));
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
