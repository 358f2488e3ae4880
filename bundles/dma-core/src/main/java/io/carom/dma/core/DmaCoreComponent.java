package io.carom.dma.core;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDebug;
import io.carom.dma.SwapPolicy;
import io.carom.dma.core.debug.DebugSettings;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Target;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.guest.PageAllocator;
import io.carom.memory.GuestMemory;
import io.carom.pci.BusPorts;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
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
  private static final long DEFAULT_DRAIN_MS = 2_000;
  private static final long DEFAULT_WATCHDOG_MS = 500;
  private static final int DEFAULT_DEBUG_ENTRIES = 65_536; // the kernel's

  private final DmaCore core;
  private final ServiceRegistration<?> registration;
  private final ServiceRegistration<DmaDebug> debugRegistration;
  private DebugSettings lastDebug;
  private final AtomicReference<@Nullable BusPorts> busPorts = new AtomicReference<>();
  private final ConcurrentHashMap<Long, Integer> revisions = new ConcurrentHashMap<>();

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
    long drainTimeoutMs() default DEFAULT_DRAIN_MS;

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
    long watchdogMs() default DEFAULT_WATCHDOG_MS;

    /** Devices with dma-debug. */
    @AttributeDefinition(
        name = "debug",
        description =
            "Devices whose use of the DMA API is checked: all, none, or PCI addresses with commas"
                + " between")
    String debug() default "none";

    /** Filter of dma-debug. */
    @AttributeDefinition(
        name = "debugDriver",
        description = "Only violations of this driver or device are logged and kept; empty: of all")
    String debugDriver() default "";

    /** Entries of dma-debug. */
    @AttributeDefinition(
        name = "debugEntries",
        description = "Entries that dma-debug makes in advance when it is first turned on")
    int debugEntries() default DEFAULT_DEBUG_ENTRIES;
  }

  /** Starts the core. */
  @Activate
  public DmaCoreComponent(
      final BundleContext context,
      final Config config,
      @Reference final GuestMemory memory,
      @Reference final PageAllocator pages) {
    core = new DmaCore(memory, pages, settings(config), Copier.COPYING, Timing.SYSTEM);
    registration =
        context.registerService(
            new String[] {Dma.class.getName(), DmaControl.class.getName()},
            core,
            FrameworkUtil.asDictionary(Map.of()));
    lastDebug = debugSettings(config);
    core.debug().settings(lastDebug);
    debugRegistration =
        context.registerService(DmaDebug.class, core.debug(), FrameworkUtil.asDictionary(Map.of()));
  }

  private static DebugSettings debugSettings(final Config config) {
    try {
      return DebugSettings.of(config.debug(), config.debugDriver(), config.debugEntries());
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; dma-debug is off", PID, e.getMessage());
      return DebugSettings.OFF;
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  void bindPorts(final BusPorts ports) {
    busPorts.set(ports);
    core.debug().ports(ports);
  }

  void unbindPorts(final BusPorts ports) {
    // A replacement may have been bound before.
    if (busPorts.compareAndSet(ports, null)) {
      core.debug().ports(null);
    }
  }

  private static Settings settings(final Config config) {
    SwapPolicy policy = SwapPolicy.ADOPT;
    try {
      policy = SwapPolicy.parse(config.drainPolicy());
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: drainPolicy: {}; adopt is used", PID, e.getMessage());
    }
    return new Settings(
        config.strategy(),
        config.strategy_fallback(),
        atLeast("drainTimeoutMs", config.drainTimeoutMs(), 0, DEFAULT_DRAIN_MS),
        policy,
        atLeast("watchdogMs", config.watchdogMs(), 10, DEFAULT_WATCHDOG_MS));
  }

  private static long atLeast(
      final String name, final long value, final long least, final long fallback) {
    if (value < least) {
      LOG.error("{}: {}={} is less than {}; {} is used", PID, name, value, least, fallback);
      return fallback;
    }
    return value;
  }

  @Modified
  void modified(final Config config) {
    core.settings(settings(config));
    final DebugSettings debug = debugSettings(config);
    if (!debug.equals(lastDebug)) { // else what was chosen at run time holds
      lastDebug = debug;
      core.debug().settings(debug);
    }
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
    debugRegistration.unregister();
    core.close();
  }
}
