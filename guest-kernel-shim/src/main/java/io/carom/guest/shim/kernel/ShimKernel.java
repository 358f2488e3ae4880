package io.carom.guest.shim.kernel;

import io.carom.dma.Dma;
import io.carom.guest.GuestKernel;
import io.carom.guest.Network;
import io.carom.guest.PageAllocator;
import io.carom.guest.shim.block.BlkTunables;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.iommu.GuestIommu;
import io.carom.memory.GuestMemory;
import io.carom.memory.SystemBus;
import io.carom.pci.MsiController;
import io.carom.virtio.DmbDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Boots the guest kernel and follows the DMA core.
 *
 * <p>The DMA core is an optional reference, so that the kernel, its log and its disks' names stay
 * when the core is stopped: drivers are unbound then, and probed again when one returns. The {@link
 * GuestKernel} service appears when the first enumeration with a DMA core is done, so whoever sees
 * it sees the disks that were plugged at boot.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = ShimKernel.PID)
@Designate(ocd = ShimKernel.Config.class)
public final class ShimKernel {
  /** Configuration of the guest. */
  public static final String PID = "io.carom.guest.shim";

  private static final int DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
  private static final int DEFAULT_TAKEOVER_MS = 1_000;
  private static final int DEFAULT_SPIN_US = 5;
  private static final int DEFAULT_STOP_TIMEOUT_MS = 10_000;
  private static final long WATCH_NS = 200_000_000L;
  private static final Duration UNBIND_TIMEOUT = Duration.ofSeconds(10);
  private static final Logger LOG = LoggerFactory.getLogger(ShimKernel.class);

  private final BundleContext context;
  private final BlkTunables tunables;
  private final Guest guest;
  private final Thread watch;
  private volatile VirtioSettings virtio;
  private volatile boolean iommuBatched;
  private volatile int stopTimeoutMs;
  private volatile boolean stopping;

  // The work thread's.
  private @Nullable Dma dma;
  private @Nullable ServiceRegistration<GuestKernel> registration;
  private @Nullable ServiceRegistration<Network> networkRegistration;
  private @Nullable ServiceRegistration<GuestIommu> iommuRegistration;

  /** How the guest's drivers behave. */
  @ObjectClassDefinition(name = "Carom guest kernel")
  @interface Config {
    @AttributeDefinition(
        description =
            "Accept VIRTIO_F_SWIOTLB where it is offered; takes effect when a device is probed")
    boolean acceptSwiotlb() default true;

    @AttributeDefinition(description = "Number of the feature bit of VIRTIO_F_SWIOTLB")
    int swiotlbBit() default VirtioFeatures.SWIOTLB_BIT;

    @AttributeDefinition(description = "Number of the feature bit of VIRTIO_F_DMB")
    int dmbBit() default DmbDescriptor.DEFAULT_BIT;

    @AttributeDefinition(
        description = "Offset of VIRTIO_F_DMB's dmb_shm_id in the common configuration")
    int dmbRegister() default DmbDescriptor.DEFAULT_SHM_ID_REGISTER;

    @AttributeDefinition(
        description =
            "Features that virtio drivers do not accept, by name such as RING_PACKED or by bit"
                + " number; takes effect when a device is probed or reset")
    String[] denyFeatures() default {};

    @AttributeDefinition(
        description =
            "Use MSI-X where a virtio function has it; else INTx. Takes effect when a device is"
                + " probed")
    boolean msix() default true;

    @AttributeDefinition(
        description = "Deadline of a block request, ms; after it the device is reset",
        min = "1")
    int requestTimeoutMs() default DEFAULT_REQUEST_TIMEOUT_MS;

    @AttributeDefinition(
        description = "A worker inside one DMA call for longer than this is replaced, ms",
        min = "1")
    int takeoverMs() default DEFAULT_TAKEOVER_MS;

    @AttributeDefinition(
        description = "How long an idle worker looks for work before it sleeps, us",
        min = "0")
    int spinUs() default DEFAULT_SPIN_US;

    @AttributeDefinition(
        description =
            "How long a stop of the guest waits for workloads and drivers to let go of what they"
                + " have mapped, ms; then it says what holds it, and goes on without",
        min = "1")
    int stopTimeoutMs() default DEFAULT_STOP_TIMEOUT_MS;

    @AttributeDefinition(
        description =
            "Map the pieces of a scatter list with one kick of the IOMMU's queue; else each with a"
                + " kick and a wait of its own, as Linux did before 6.8")
    boolean iommuBatched() default true;
  }

  /** Starts the guest; it boots on its own threads. */
  @Activate
  public ShimKernel(
      final BundleContext context,
      @Reference final GuestMemory memory,
      @Reference final SystemBus bus,
      @Reference final MsiController msi,
      @Reference final PageAllocator pages,
      final Config config) {
    check(config);
    this.context = context;
    this.virtio = virtio(config);
    this.iommuBatched = config.iommuBatched();
    this.stopTimeoutMs = config.stopTimeoutMs();
    this.tunables =
        new BlkTunables(config.requestTimeoutMs(), config.takeoverMs(), config.spinUs());
    this.guest =
        new Guest(
            memory, bus, msi, pages, tunables, () -> virtio, () -> iommuBatched, System::nanoTime);
    this.guest.iommus().listen(this::iommuChanged);
    this.watch = new Thread(this::watchBridge, "guest-pci-watch");
    this.watch.setDaemon(true);
    this.watch.start();
  }

  @Modified
  void modified(final Config config) {
    try {
      check(config);
    } catch (final IllegalArgumentException e) {
      LOG.error("configuration unchanged: {}", e.getMessage());
      return;
    }
    virtio = virtio(config);
    iommuBatched = config.iommuBatched();
    stopTimeoutMs = config.stopTimeoutMs();
    tunables.set(config.requestTimeoutMs(), config.takeoverMs(), config.spinUs());
  }

  @Reference(
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void bindDma(final Dma arrived) {
    guest.work().execute(() -> useDma(arrived));
  }

  void unbindDma(final Dma leaving) {
    if (stopping) {
      return; // deactivated before its references are unbound: no driver is left
    }
    final boolean done = guest.work().call(() -> dropDma(leaving), UNBIND_TIMEOUT);
    if (!done) {
      LOG.error("drivers did not let go of the DMA core within {}", UNBIND_TIMEOUT);
    }
  }

  @Deactivate
  void deactivate() {
    stopping = true;
    LockSupport.unpark(watch);
    final long start = System.nanoTime();
    final Duration timeout = Duration.ofMillis(stopTimeoutMs);
    guest.work().call(this::unregister, timeout);
    final String held = guest.stop(start + timeout.toNanos());
    if (held != null) {
      LOG.error("the guest was stopped after {} ms without {}", stopTimeoutMs, held);
    }
  }

  private void useDma(final Dma arrived) {
    if (stopping) {
      return;
    }
    if (dma != null) {
      guest.dmaLeaves(); // a replacement arrives before its predecessor leaves
    }
    dma = arrived;
    if (guest.lookForBridge()) {
      guest.dmaArrived(arrived);
      register();
    }
  }

  private void dropDma(final Dma leaving) {
    if (dma == leaving) {
      dma = null;
      guest.dmaLeaves();
    }
  }

  /**
   * The bridge's bundle may start after this one, and may be started anew: then the bridge has
   * forgotten whom to notify, and functions may sit there that nobody has seen.
   */
  private void watchBridge() {
    while (!stopping) {
      guest.work().call(this::watchOnce, UNBIND_TIMEOUT);
      LockSupport.parkNanos(WATCH_NS);
    }
  }

  private void watchOnce() {
    final Dma core = dma;
    if (stopping || core == null) {
      return; // nothing can be driven yet: boot when it can
    }
    if (guest.lookForBridge() && registration == null) {
      guest.dmaArrived(core);
      register();
    }
  }

  private void register() {
    if (registration == null && !stopping) {
      registration = context.registerService(GuestKernel.class, guest, null);
      networkRegistration = context.registerService(Network.class, guest.network(), null);
    }
  }

  private void unregister() {
    final ServiceRegistration<GuestKernel> registered = registration;
    if (registered != null) {
      registration = null;
      registered.unregister();
    }
    final ServiceRegistration<Network> network = networkRegistration;
    if (network != null) {
      networkRegistration = null;
      network.unregister();
    }
  }

  /** Offers the IOMMU as a service while it is driven. On the work thread. */
  private void iommuChanged(final @Nullable GuestIommu now) {
    final ServiceRegistration<GuestIommu> registered = iommuRegistration;
    if (registered != null) {
      iommuRegistration = null;
      try {
        registered.unregister();
      } catch (final IllegalStateException e) {
        LOG.debug("the bundle was stopped meanwhile, and its services are gone", e);
      }
    }
    if (now != null && !stopping) {
      iommuRegistration = context.registerService(GuestIommu.class, now, null);
    }
  }

  private static VirtioSettings virtio(final Config config) {
    return new VirtioSettings(
        config.acceptSwiotlb(),
        config.swiotlbBit(),
        config.dmbBit(),
        config.dmbRegister(),
        config.msix(),
        List.of(config.denyFeatures()));
  }

  private static void check(final Config config) {
    try {
      virtio(config);
    } catch (final IllegalArgumentException e) {
      throw new IllegalArgumentException(e.getMessage() + " in " + PID, e);
    }
    atLeast("requestTimeoutMs", config.requestTimeoutMs(), 1);
    atLeast("takeoverMs", config.takeoverMs(), 1);
    atLeast("spinUs", config.spinUs(), 0);
    atLeast("stopTimeoutMs", config.stopTimeoutMs(), 1);
  }

  private static void atLeast(final String attribute, final int value, final int least) {
    if (value < least) {
      throw new IllegalArgumentException(
          attribute + "=" + value + " in " + PID + " is too small: at least " + least);
    }
  }
}
