package io.carom.dma.core;

import io.carom.dma.Dma;
import io.carom.dma.DmaControl;
import io.carom.dma.DmaDebug;
import io.carom.dma.core.debug.DebugSettings;
import io.carom.dma.core.event.SwapPoster;
import io.carom.dma.core.map.Copier;
import io.carom.dma.core.swap.Settings;
import io.carom.dma.core.swap.StrategyRef;
import io.carom.dma.core.swap.Target;
import io.carom.dma.core.swap.Timing;
import io.carom.dma.spi.DmaStrategy;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestIommu;
import io.carom.memory.GuestMemory;
import io.carom.memory.PageLender;
import io.carom.pci.BusPorts;
import java.time.Duration;
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
import org.osgi.service.event.EventAdmin;
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
  private static final long STOP_MARGIN_MS = 900;
  private static final int DEFAULT_DEBUG_ENTRIES = 65_536; // the kernel's

  private final DmaCore core;
  private final ServiceRegistration<?> registration;
  private final ServiceRegistration<PageLender> lender;
  private final ServiceRegistration<DmaDebug> debugRegistration;
  private DebugSettings lastDebug;
  private final AtomicReference<@Nullable BusPorts> busPorts = new AtomicReference<>();
  private final AtomicReference<@Nullable GuestIommu> iommu = new AtomicReference<>();
  private final AtomicReference<@Nullable SwapPoster> poster = new AtomicReference<>();
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
    long drainTimeoutMs() default Settings.DRAIN_MS;

    /** Policy at the deadline. */
    @AttributeDefinition(
        name = "drainPolicy",
        description =
            "What becomes of mappings that outlive the drain: adopt (the core finishes them),"
                + " quarantine (their memory stays out of use until they end), or revoke (the"
                + " device is reset and its requests end with an error)")
    String drainPolicy() default "adopt";

    /** Watchdog. */
    @AttributeDefinition(
        name = "watchdogMs",
        description =
            "Milliseconds that a strategy may take for one call; then its stripe is abandoned")
    long watchdogMs() default Settings.WATCHDOG_MS;

    /** Misbehaviour. */
    @AttributeDefinition(
        name = "misbehaviour.limit",
        description =
            "How often within 10 s a strategy may throw or answer nonsense before another one takes"
                + " its place; an address that would corrupt memory, or a hang, is enough once")
    int misbehaviour_limit() default Settings.MISBEHAVIOUR_LIMIT;

    /** Fence deadline. */
    @AttributeDefinition(
        name = "fenceMs",
        description =
            "Milliseconds that a driver may take to reset its device under the policy revoke; then"
                + " it is as quarantine")
    long fenceMs() default Settings.FENCE_MS;

    /** Stop deadline. */
    @AttributeDefinition(
        name = "stopMs",
        description =
            "Milliseconds that a stop of the core waits for mappings to end, and that the stop of a"
                + " strategy waits for a change that goes on")
    long stopMs() default Settings.STOP_MS;

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
                + " cost; for mappings from now on")
    String lookup() default "direct";

    /** The kernel's parameter. */
    @AttributeDefinition(
        name = "swiotlb",
        description =
            "As the kernel's parameter, <slots>[,<areas>][,force|noforce|dynamic], each part may be"
                + " left out: slots of 2 KiB and areas of bounce pools in RAM; force: every device"
                + " bounces; noforce: no bounce pool in RAM; dynamic: swiotlb-dynamic takes the"
                + " place of swiotlb-fixed in RAM",
        required = false)
    String swiotlb() default "";

    /** Restricted pools. */
    @AttributeDefinition(
        name = "restrictedPools",
        description =
            "RAM set apart for named devices, which bounce there and nowhere else; for each pool:"
                + " name=NAME size=SIZE [coherent=SIZE] devices=BDF[,BDF...]",
        required = false)
    String[] restrictedPools() default {};

    /** Devices that share an IOMMU domain. */
    @AttributeDefinition(
        name = "iommuGroups",
        description =
            "Devices that share an IOMMU domain, as those behind one bridge do: BDF,BDF[,BDF...]"
                + " for each; others have a domain each",
        required = false)
    String[] iommuGroups() default {};

    /** Untrusted devices. */
    @AttributeDefinition(
        name = "untrustedDevices",
        description =
            "Devices from which IOMMU strategies hide what shares a page with their buffers, by"
                + " bouncing those: all, none, or PCI addresses with commas between")
    String untrustedDevices() default "none";

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
      final Map<String, Object> properties,
      @Reference final GuestMemory memory,
      @Reference final PageAllocator pages) {
    core = start(config, properties, memory, pages);
    registration =
        context.registerService(
            new String[] {Dma.class.getName(), DmaControl.class.getName()},
            core,
            FrameworkUtil.asDictionary(Map.of()));
    lender =
        context.registerService(
            PageLender.class, core.lender(), FrameworkUtil.asDictionary(Map.of()));
    lastDebug = firstDebug(config);
    core.debug().settings(lastDebug);
    debugRegistration =
        context.registerService(DmaDebug.class, core.debug(), FrameworkUtil.asDictionary(Map.of()));
  }

  private static DebugSettings debugSettings(final Config config) {
    return DebugSettings.of(config.debug(), config.debugDriver(), config.debugEntries());
  }

  private static DebugSettings firstDebug(final Config config) {
    try {
      return debugSettings(config);
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

  private static DmaCore start(
      final Config config,
      final Map<String, Object> properties,
      final GuestMemory memory,
      final PageAllocator pages) {
    try {
      final Settings settings = ConfigReader.read(config, properties);
      return new DmaCore(memory, pages, settings, Copier.COPYING, Timing.SYSTEM);
    } catch (final RuntimeException e) {
      LOG.error("{}: {}; nothing of it is applied, the defaults are used", PID, e.getMessage());
      return new DmaCore(memory, pages, Settings.DEFAULTS, Copier.COPYING, Timing.SYSTEM);
    }
  }

  @Modified
  void modified(final Config config, final Map<String, Object> properties) {
    try {
      final Settings settings = ConfigReader.read(config, properties);
      final DebugSettings debug = debugSettings(config);
      core.settings(settings);
      if (!debug.equals(lastDebug)) { // else what was chosen at run time holds
        lastDebug = debug;
        core.debug().settings(debug);
      }
    } catch (final RuntimeException e) {
      LOG.error(
          "{}: {}; nothing of it is applied, what was configured before stays",
          PID,
          e.getMessage());
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  void bindIommu(final GuestIommu driver) {
    iommu.set(driver);
    core.iommu(driver);
  }

  void unbindIommu(final GuestIommu driver) {
    // A replacement may have been bound before.
    if (iommu.compareAndSet(driver, null)) {
      core.iommu(null);
    }
  }

  @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
  void bindEvents(final EventAdmin admin) {
    final SwapPoster next = new SwapPoster(admin);
    final SwapPoster before = poster.getAndSet(next);
    core.watches().add(next);
    if (before != null) {
      core.watches().remove(before);
    }
  }

  void unbindEvents(final EventAdmin admin) {
    final SwapPoster now = poster.get();
    // A replacement may have been bound before.
    if (now != null && now.postsTo(admin) && poster.compareAndSet(now, null)) {
      core.watches().remove(now);
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

  /**
   * Stops within {@code stopMs} and a second, whatever others do: who uses the services is told
   * that they go, and may take its time or hang. So that and the stop itself are done on a thread
   * of their own, which is left behind at the deadline.
   */
  @Deactivate
  void deactivate() {
    final long limitMs = core.stopMs() + STOP_MARGIN_MS;
    final Thread stopping = Thread.ofPlatform().daemon().name("dma-stop").start(this::stop);
    try {
      if (!stopping.join(Duration.ofMillis(limitMs))) {
        final StackTraceElement[] stack = stopping.getStackTrace();
        LOG.error(
            "the DMA core has not stopped within {} ms (stopMs), it is at {}",
            limitMs,
            stack.length == 0 ? "its end" : stack[0]);
        // Drivers that hang while they are told of the stop keep it from saying so itself.
        core.holding().forEach(line -> LOG.warn("the DMA core was left, and {}", line));
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void stop() {
    try {
      unregister(lender); // borrowers give back what they hold while the core still runs
      unregister(registration);
      unregister(debugRegistration);
    } finally {
      core.stop();
    }
  }

  /** Takes a service back; the framework has, when that of one before took beyond the deadline. */
  private static void unregister(final ServiceRegistration<?> service) {
    try {
      service.unregister();
    } catch (final IllegalStateException e) {
      LOG.debug("A service was unregistered already", e);
    }
  }
}
