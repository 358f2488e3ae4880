package io.carom.dma.core;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.map.Lookup;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Target;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers the DMA core as a service and brings it the strategies that come and go. */
@Component(
    configurationPid = DmaCoreComponent.PID,
    immediate = true,
    service = {})
@Designate(ocd = DmaCoreComponent.Config.class)
public final class DmaCoreComponent {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.dma.core";

  private static final Logger LOG = LoggerFactory.getLogger(DmaCoreComponent.class);

  private final DmaCore core;
  private final ServiceRegistration<?> registration;
  private final ConcurrentHashMap<Long, Integer> revisions = new ConcurrentHashMap<>();
  private volatile Settings settings;

  /** Configuration of the DMA core. */
  @ObjectClassDefinition(
      name = "Carom DMA core",
      description = "Which strategy devices get, and how swaps are done")
  public @interface Config {
    /** Strategy that devices get unless they were told otherwise. */
    @AttributeDefinition(
        name = "strategy",
        description =
            "Name of the strategy that devices get, such as direct, swiotlb-fixed, swiotlb-device")
    String strategy() default Target.SWIOTLB_DEVICE;

    /** Whether the best legal strategy stands in while that one is absent. */
    @AttributeDefinition(
        name = "strategy.fallback",
        description =
            "Take the highest-ranked legal strategy while the configured one is absent; if false,"
                + " maps fail until it arrives")
    boolean strategy_fallback() default true;

    /** Drain deadline. */
    @AttributeDefinition(
        name = "drainTimeoutMs",
        description = "Milliseconds that old mappings have to end by themselves after a swap")
    long drainTimeoutMs() default Settings.DRAIN_MS;

    /** Policy at the deadline. */
    @AttributeDefinition(
        name = "drainPolicy",
        description = "What becomes of mappings that outlive the drain: adopt or quarantine")
    String drainPolicy() default "adopt";

    /** Watchdog. */
    @AttributeDefinition(
        name = "watchdogMs",
        description =
            "Milliseconds that a strategy may take for one call; then its stripe is abandoned")
    long watchdogMs() default Settings.WATCHDOG_MS;

    /** Throttle deadline. */
    @AttributeDefinition(
        name = "throttleTimeoutMs",
        description =
            "Milliseconds that a map that may sleep waits for a pool above its high mark before it"
                + " fails")
    long throttleTimeoutMs() default Settings.THROTTLE_MS;

    /** Cap on reachable buffers. */
    @AttributeDefinition(
        name = "reachablePercent",
        description = "Percent of a pool that drivers may hold as I/O buffers in bounce memory")
    int reachablePercent() default Settings.REACHABLE_PERCENT;

    /** How records are found. */
    @AttributeDefinition(
        name = "lookup",
        description =
            "How the record of a mapping is found: direct, or mru or tree to measure what they"
                + " cost; from the next start of the bundle on")
    String lookup() default "direct";
  }

  /** Starts the core. */
  @Activate
  public DmaCoreComponent(
      final BundleContext context,
      final Config config,
      @Reference final GuestMemory memory,
      @Reference final PageAllocator pages) {
    settings = settings(config, Settings.DEFAULTS);
    core = new DmaCore(memory, pages, settings, Copier.COPYING, Timing.SYSTEM);
    registration =
        context.registerService(
            new String[] {Dma.class.getName(), DmaControl.class.getName()},
            core,
            FrameworkUtil.asDictionary(Map.of()));
  }

  /** The settings of a configuration, or those before it when something in it is wrong. */
  private static Settings settings(final Config config, final Settings before) {
    try {
      return new Settings(
          config.strategy(),
          config.strategy_fallback(),
          config.drainTimeoutMs(),
          SwapPolicy.parse(config.drainPolicy()),
          config.watchdogMs(),
          config.throttleTimeoutMs(),
          config.reachablePercent(),
          Lookup.parse(config.lookup()));
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; nothing of the new configuration is applied", PID, e.getMessage());
      return before;
    }
  }

  @Modified
  void modified(final Config config) {
    settings = settings(config, settings);
    core.settings(settings);
  }

  @Reference(
      service = DmaStrategy.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC,
      updated = "updateStrategy",
      unbind = "unbindStrategy")
  void bindStrategy(final ServiceReference<DmaStrategy> reference, final DmaStrategy strategy) {
    final StrategyRef ref = ref(reference, strategy);
    if (ref != null) {
      core.strategyAdded(ref);
    }
  }

  void updateStrategy(final ServiceReference<DmaStrategy> reference, final DmaStrategy strategy) {
    revisions.merge(id(reference), 1, Integer::sum);
    bindStrategy(reference, strategy);
  }

  void unbindStrategy(final ServiceReference<DmaStrategy> reference) {
    core.strategyRemoved(id(reference));
    revisions.remove(id(reference));
  }

  private @Nullable StrategyRef ref(
      final ServiceReference<DmaStrategy> reference, final DmaStrategy strategy) {
    if (!(reference.getProperty(DmaStrategy.NAME) instanceof final String name)) {
      LOG.error("a strategy of {} has no property {}", reference.getBundle(), DmaStrategy.NAME);
      return null;
    }
    final int ranking =
        reference.getProperty(Constants.SERVICE_RANKING) instanceof final Integer rank ? rank : 0;
    final long id = id(reference);
    return new StrategyRef(
        name,
        strategy,
        ranking,
        reference.getBundle().getSymbolicName() + " " + reference.getBundle().getVersion(),
        id,
        revisions.getOrDefault(id, 0));
  }

  private static long id(final ServiceReference<DmaStrategy> reference) {
    return (Long) reference.getProperty(Constants.SERVICE_ID);
  }

  @Deactivate
  void deactivate() {
    registration.unregister();
    core.close();
  }
}
