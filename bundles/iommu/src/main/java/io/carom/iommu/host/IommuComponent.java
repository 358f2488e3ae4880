package io.carom.iommu.host;

import io.carom.iommu.CostProfile;
import io.carom.iommu.IommuHost;
import io.carom.iommu.IommuRecords;
import io.carom.iommu.host.cost.BusyClock;
import io.carom.iommu.host.cost.CostProfiles;
import io.carom.memory.GuestMemory;
import io.carom.pci.BusPorts;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.VirtioModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.bundle.Capability;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The IOMMU as a component: puts an {@link Iommu} between functions and memory, and registers it as
 * a type of virtio device and for the host's eyes. A bad configuration is told in one line: nothing
 * is changed, or registered.
 *
 * <p><b>Changes.</b> Costs and {@code bypass} change live. Limits make a new IOMMU, which goes on
 * with the domains of the one before; so does one that comes when the bundle was stopped or
 * updated, and one in the place of an IOMMU whose code threw, as often as a {@link RestartBudget}
 * allows. The driver sees nothing of it. What it can see (the input range, reserved ranges, the
 * slot, whether there is one) makes another device: the old one is taken out, and functions that it
 * translated are blocked until the guest attaches them.
 */
@Component(
    name = IommuComponent.PID,
    configurationPid = IommuComponent.PID,
    immediate = true,
    service = {})
@Designate(ocd = IommuComponent.Config.class)
@Capability(
    namespace = "osgi.service",
    effective = "active",
    attribute = "objectClass:List<String>=\"io.carom.iommu.IommuHost,io.carom.virtio.VirtioModel\"")
public final class IommuComponent {
  /** Its configuration's PID. */
  public static final String PID = "io.carom.iommu";

  /** Name of the device. */
  static final String NAME = "iommu";

  /** Beyond those that devices without a wanted slot get. */
  static final String DEFAULT_SLOT = "00:1f.0";

  private static final long LOOK_NS = 50_000_000;

  private static final Logger LOG = LoggerFactory.getLogger(IommuComponent.class);

  /** Configuration of the IOMMU. */
  @ObjectClassDefinition(
      name = "Carom IOMMU",
      description = "The IOMMU that the VMM presents, a virtio-iommu")
  public @interface Config {
    /** Whether there is one. */
    @AttributeDefinition(description = "Whether the machine has an IOMMU")
    boolean enabled() default true;

    /** Unattached endpoints. */
    @AttributeDefinition(
        description =
            "Whether devices that are attached to no domain pass, until the guest says otherwise;"
                + " else they are blocked")
    boolean bypass() default true;

    /** The cost profile. */
    @AttributeDefinition(
        description =
            "What requests cost: waited for in real time. custom takes the figures below;"
                + " series is calibrated; s390 maps from 4 GiB on",
        options = {
          @Option("none"),
          @Option("low"),
          @Option("typical"),
          @Option("high"),
          @Option("series"),
          @Option("s390"),
          @Option("custom")
        })
    String profile() default CostProfiles.NONE;

    /** Custom: a kick. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of a kick")
    long kickNs() default 0;

    /** Custom: a MAP. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of a MAP")
    long mapNs() default 0;

    /** Custom: a page of it. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of each 4 KiB of a MAP")
    long mapPageNs() default 0;

    /** Custom: an UNMAP. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of an UNMAP")
    long unmapNs() default 0;

    /** Custom: a page of it. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of each 4 KiB of an UNMAP")
    long unmapPageNs() default 0;

    /** Custom: an invalidation. */
    @AttributeDefinition(description = "profile=custom: nanoseconds of an invalidation")
    long invalidationNs() default 0;

    /** The input range. */
    @AttributeDefinition(description = "Addresses that can be mapped are below 2^inputBits, 33..48")
    int inputBits() default IommuSettings.DEFAULT_INPUT_BITS;

    /** Reserved ranges. */
    @AttributeDefinition(
        required = false,
        description =
            "Ranges beside the message window in which nothing can be mapped, such as"
                + " 0x8000000-0x80fffff, ends inclusive")
    String[] reserved() default {};

    /** Most mappings. */
    @AttributeDefinition(description = "Most mappings of all domains together; beyond it NOMEM")
    int maxMappings() default IommuSettings.DEFAULT_MAX_MAPPINGS;

    /** Most nodes. */
    @AttributeDefinition(
        description = "Most pages of all page tables together, up to 6 KiB each; beyond it NOMEM")
    int maxTablePages() default IommuSettings.DEFAULT_MAX_TABLE_PAGES;

    /** Rate of events. */
    @AttributeDefinition(description = "Most faults that the guest is told of in a second")
    int faultsPerSecond() default IommuSettings.DEFAULT_FAULTS_PER_SECOND;

    /** The slot. */
    @AttributeDefinition(
        required = false,
        description = "Wanted PCI slot such as 00:1f.0; empty takes the first free one")
    String slot() default DEFAULT_SLOT;
  }

  /** What a configuration asks for. */
  private record Wanted(boolean enabled, String slot, IommuSettings settings) {
    /** Whether one that was made for this looks to its driver like one made for another. */
    boolean looksLike(final Wanted other) {
      return enabled
          && other.enabled
          && slot.equals(other.slot)
          && settings.inputStart() == other.settings.inputStart()
          && settings.inputEnd() == other.settings.inputEnd()
          && settings.reserved().equals(other.settings.reserved());
    }

    /** Whether an IOMMU that was made for this one can be changed into another one. */
    boolean leadsTo(final Wanted other) {
      return enabled
          && other.enabled
          && slot.equals(other.slot)
          && settings.inputStart() == other.settings.inputStart()
          && settings
              .withBypass(other.settings.bypass())
              .withProfile(other.settings.profile())
              .equals(other.settings);
    }
  }

  /** An IOMMU in use. */
  private record Running(
      Iommu iommu, IommuModel model, List<ServiceRegistration<?>> registrations) {}

  private final BundleContext context;
  private final BusPorts ports;
  private final GuestMemory memory;
  private final IommuRecords records;
  private final Slots slots;
  private final RestartBudget restarts = new RestartBudget();
  private @Nullable Wanted wanted;
  private @Nullable Running running;
  private volatile boolean closed;

  /** Makes the IOMMU. */
  @Activate
  public IommuComponent(
      final BundleContext context,
      @Reference final BusPorts ports,
      @Reference final GuestMemory memory,
      @Reference final IommuRecords records,
      final Config config,
      final Map<String, Object> properties) {
    this.context = context;
    this.ports = ports;
    this.memory = memory;
    this.records = records;
    slots = new Slots(context, NAME);
    try {
      wanted = wanted(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; there is no IOMMU", PID, e.getMessage());
      return;
    }
    start(wanted);
  }

  @Modified
  synchronized void modified(final Config config, final Map<String, Object> properties) {
    final Wanted next;
    try {
      next = wanted(config, properties);
    } catch (final IllegalArgumentException e) {
      LOG.error("{}: {}; nothing was changed", PID, e.getMessage());
      return;
    }
    final Wanted before = wanted;
    final Running now = running;
    wanted = next;
    if (before != null && now != null && before.leadsTo(next)) {
      now.iommu().profile(next.settings().profile());
      if (before.settings().bypass() != next.settings().bypass()) {
        now.model().bypass(next.settings().bypass());
      }
      return;
    }
    if (before != null && now != null && !before.looksLike(next)) {
      now.model().leaving();
    }
    stop();
    start(next);
  }

  /** Bounded: by what the bus waits for its function, and the machine for accesses. */
  @Deactivate
  synchronized void deactivate() {
    closed = true;
    stop();
    slots.close();
  }

  private void start(final Wanted next) {
    if (!next.enabled()) {
      return;
    }
    final Iommu iommu =
        new Iommu(
            next.settings(),
            ports,
            slots::functions,
            new MachineSpace(memory),
            new BusyClock(),
            System::nanoTime,
            records.claim());
    if (iommu.refusal() != null) {
      LOG.error("{}: {}; devices that were translated are blocked", PID, iommu.refusal());
    }
    iommu.onFailure(why -> Thread.ofVirtual().name("iommu-restart").start(() -> restart(iommu)));
    final IommuModel model =
        new IommuModel(iommu, slots::kept, System::nanoTime, IommuComponent::watch);
    if (!iommu.start()) {
      LOG.warn("an access outlived the start of the IOMMU (quiesceTimeoutMs)");
    }
    final Map<String, Object> properties = new HashMap<>();
    properties.put(VirtioModel.NAME, NAME);
    properties.put(VirtioModel.KEEP, true);
    if (!next.slot().isBlank()) {
      properties.put(VirtioModel.SLOT, next.slot());
    }
    final List<ServiceRegistration<?>> registrations = new ArrayList<>();
    running = new Running(iommu, model, registrations);
    registrations.add(context.registerService(IommuHost.class, new IommuView(iommu), null));
    registrations.add(
        context.registerService(VirtioModel.class, model, FrameworkUtil.asDictionary(properties)));
  }

  private void stop() {
    final Running now = running;
    running = null;
    if (now == null) {
      return;
    }
    now.model().end();
    for (final ServiceRegistration<?> registration : now.registrations().reversed()) {
      try {
        registration.unregister();
      } catch (final IllegalStateException e) {
        LOG.debug("A service of the IOMMU was unregistered already", e);
      }
    }
    if (!now.iommu().stop()) {
      LOG.warn("an access outlived the end of the IOMMU (quiesceTimeoutMs)");
    }
  }

  /** Looks after a model whose driver is astray until that is decided. */
  private static void watch(final IommuModel model) {
    Thread.ofVirtual()
        .name("iommu-watch")
        .start(
            () -> {
              while (model.look()) {
                LockSupport.parkNanos(LOOK_NS);
              }
            });
  }

  /** Puts a new IOMMU in the place of one whose code threw. */
  private synchronized void restart(final Iommu failed) {
    final Running now = running;
    final Wanted again = wanted;
    if (closed || now == null || now.iommu() != failed || again == null) {
      return;
    }
    if (!restarts.take(System.nanoTime())) {
      LOG.error(
          "{}: the IOMMU threw again after {}; it stays out until its bundle or configuration is"
              + " changed",
          PID,
          restarts);
      return;
    }
    stop();
    start(again);
  }

  private static Wanted wanted(final Config config, final Map<String, Object> properties) {
    final Knobs knobs = new Knobs(properties);
    return new Wanted(
        knobs.value("enabled", config::enabled),
        knobs.value("slot", config::slot),
        new IommuSettings(
            knobs.value("bypass", config::bypass),
            profile(config, knobs),
            knobs.value("inputBits", config::inputBits),
            ReservedRanges.parse(knobs.value("reserved", config::reserved)),
            knobs.value("maxMappings", config::maxMappings),
            knobs.value("maxTablePages", config::maxTablePages),
            knobs.value("faultsPerSecond", config::faultsPerSecond)));
  }

  private static CostProfile profile(final Config config, final Knobs knobs) {
    final String name = knobs.value("profile", config::profile);
    return name.equals(CostProfiles.CUSTOM)
        ? CostProfiles.custom(
            knobs.value("kickNs", config::kickNs),
            knobs.value("mapNs", config::mapNs),
            knobs.value("mapPageNs", config::mapPageNs),
            knobs.value("unmapNs", config::unmapNs),
            knobs.value("unmapPageNs", config::unmapPageNs),
            knobs.value("invalidationNs", config::invalidationNs))
        : CostProfiles.of(name);
  }

  /**
   * The values of a configuration; one that cannot be converted is told by its name.
   *
   * @param properties as they were configured
   */
  private record Knobs(Map<String, Object> properties) {
    <T> T value(final String knob, final Supplier<T> read) {
      try {
        return read.get();
      } catch (final RuntimeException e) {
        throw new IllegalArgumentException(
            knob + "=" + properties.get(knob) + " is not a value of this property", e);
      }
    }
  }
}
