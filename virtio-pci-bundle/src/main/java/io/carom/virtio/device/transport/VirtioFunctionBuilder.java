package io.carom.virtio.device.transport;

import io.carom.virtio.DeviceRecords;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RestartBudget;
import io.carom.virtio.RingOptions;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.region.RegionRules;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes a virtio function of a device type, and refuses combinations that the specification or the
 * SWIOTLB proposal forbids.
 */
public final class VirtioFunctionBuilder {
  private static final long DEVICE_BITS = 0xff_ffffL | -1L << 50; // 0..23 and 50 on

  /** What the transport can do whatever the device type and the ring layout are. */
  private static final long TRANSPORT_BITS =
      VirtioFeatures.VERSION_1
          | VirtioFeatures.ACCESS_PLATFORM
          | VirtioFeatures.ORDER_PLATFORM
          | VirtioFeatures.NOTIFICATION_DATA
          | VirtioFeatures.NOTIF_CONFIG_DATA
          | VirtioFeatures.RING_RESET
          | VirtioFeatures.SUSPEND;

  private static final int MAX_QUEUES = 0xffff; // a queue's number has 16 bits

  private final String name;
  private final DeviceType type;
  private WorkerOptions options = WorkerOptions.threaded();
  private BounceRegion region = BounceRegion.NONE;
  private MemorySegment plainMemory = MemorySegment.NULL;
  private SwiotlbPolicy plainPolicy = SwiotlbPolicy.NONE;
  private long extraFeatures;
  private long hiddenFeatures;
  private long needed;
  private @Nullable ErrorLog errors;
  private @Nullable SharedMemory shared;
  private @Nullable VendorData vendor;
  private @Nullable CommandListener listener;
  private @Nullable DeviceRecords records;
  private RestartBudget restarts = new RestartBudget();

  /** A function of this name, without a SWIOTLB region. */
  public VirtioFunctionBuilder(final String name, final DeviceType type) {
    this.name = name;
    this.type = type;
  }

  /** Names of the transport's features that can be hidden. */
  public static List<String> hideable() {
    return VirtioFeatures.names(0, TRANSPORT_BITS & ~VirtioFeatures.VERSION_1);
  }

  /** The bit of a name in {@link #hideable()}, or 0 when it is none of them. */
  public static long hideable(final String featureName) {
    if (hideable().contains(featureName)) {
      for (int bit = 0; bit < Long.SIZE; bit++) {
        if (VirtioFeatures.name(0, bit).equals(featureName)) {
          return 1L << bit;
        }
      }
    }
    return 0;
  }

  /** How queues are served; a thread for each by default. */
  public VirtioFunctionBuilder workers(final WorkerOptions wanted) {
    options = wanted;
    return this;
  }

  /** Where errors are told; the log by default. */
  public VirtioFunctionBuilder errors(final ErrorLog log) {
    errors = log;
    return this;
  }

  /** The SWIOTLB region, with what is offered and insisted on for it. */
  public VirtioFunctionBuilder region(final BounceRegion wanted) {
    region = wanted;
    return this;
  }

  /** A region in a BAR with every open question of the proposal at its default. */
  public VirtioFunctionBuilder region(final MemorySegment memory) {
    plainMemory = memory;
    return this;
  }

  /** What is offered and insisted on for that region. */
  public VirtioFunctionBuilder policy(final SwiotlbPolicy wanted) {
    plainPolicy = wanted;
    return this;
  }

  /** Which ring features are offered and insisted on; all are offered by default. */
  public VirtioFunctionBuilder ring(final RingOptions wanted) {
    hiddenFeatures |=
        (wanted.layout() == RingOptions.Layout.SPLIT ? VirtioFeatures.RING_PACKED : 0)
            | (wanted.inOrder() ? 0 : VirtioFeatures.IN_ORDER)
            | (wanted.indirect() ? 0 : VirtioFeatures.INDIRECT_DESC)
            | (wanted.eventIdx() ? 0 : VirtioFeatures.EVENT_IDX);
    needed |= wanted.layout() == RingOptions.Layout.PACKED ? VirtioFeatures.RING_PACKED : 0;
    return this;
  }

  /** Memory that device and driver share, which makes the capabilities. */
  public VirtioFunctionBuilder shared(final SharedMemory memory) {
    shared = memory;
    return this;
  }

  /** Says who made the device, in a capability. */
  public VirtioFunctionBuilder vendor(final VendorData data) {
    vendor = data;
    return this;
  }

  /** Who decides what a change of the route to memory means; the region by default. */
  public VirtioFunctionBuilder listener(final CommandListener wanted) {
    listener = wanted;
    return this;
  }

  /** Where its state is kept for a next version of this code; by default it is not. */
  public VirtioFunctionBuilder records(final DeviceRecords wanted) {
    records = wanted;
    return this;
  }

  /** How often its code may be restarted in place after it failed at a request. */
  public VirtioFunctionBuilder restarts(final RestartBudget wanted) {
    restarts = wanted;
    return this;
  }

  /** Offers more feature bits. */
  public VirtioFunctionBuilder offer(final long bits) {
    extraFeatures |= bits;
    return this;
  }

  /** Does not offer these bits of the transport or the ring layout. */
  public VirtioFunctionBuilder hide(final long bits) {
    hiddenFeatures |= bits;
    return this;
  }

  /**
   * Makes the function.
   *
   * @throws IllegalArgumentException for a combination that must not be offered
   */
  public VirtioPciFunction build() {
    if ((type.features() & ~DEVICE_BITS) != 0) {
      throw new IllegalArgumentException(
          name + ": a device type must not offer the transport's or the ring's feature bits");
    }
    if (region == BounceRegion.NONE) {
      region =
          BounceRegion.inBar(
              RegionOptions.of(plainPolicy, plainMemory.byteSize()), plainMemory, null);
    }
    final long others = offered();
    checkRegion(others);
    final long offered = others | region.offered();
    if (type.queues() < 1 || type.queues() > MAX_QUEUES) {
      throw new IllegalArgumentException(
          name + ": " + type.queues() + " queues are not in 1.." + MAX_QUEUES);
    }
    if (type.config().size() > FunctionLayout.MAX_CONFIG) {
      throw new IllegalArgumentException(
          name
              + ": a configuration structure of "
              + type.config().size()
              + " bytes is longer than "
              + FunctionLayout.MAX_CONFIG);
    }
    if (!QueueLayouts.of(0).legalSize(type.queueSize())) {
      throw new IllegalArgumentException(
          name + ": a split ring cannot have the size " + type.queueSize());
    }
    final FunctionLayout places = new FunctionLayout(type, region, shared, vendor);
    final ErrorLog log = errors != null ? errors : new ErrorLog(name, System::nanoTime);
    final DeviceCore core =
        new DeviceCore(
            name,
            type,
            region,
            new FeatureNegotiation(type.id(), offered, needed, region),
            options,
            log,
            restarts,
            records);
    core.listener(listener == null ? new RegionListener(region) : listener);
    return new VirtioPciFunction(name, type, region, core, places);
  }

  /** The proposal (W4): a device must not offer the bit if its transport provides no buffer. */
  private void checkRegion(final long others) {
    final RegionOptions settings = region.options();
    final boolean swiotlb =
        settings.swiotlbOffered() || (extraFeatures & VirtioFeatures.SWIOTLB) != 0;
    if (swiotlb && !region.present()) {
      throw new IllegalArgumentException(
          name
              + ": the SWIOTLB feature (bit "
              + settings.swiotlbBit()
              + ") must not be offered without the SWIOTLB capability: give it a region, or"
              + " policy=none");
    }
    if (settings.present() != region.present()) {
      throw new IllegalArgumentException(
          name
              + ": policy="
              + settings.policy()
              + (settings.present() ? " needs a SWIOTLB region" : " has no SWIOTLB region"));
    }
    if (region.size() > RegionRules.MAX_BYTES) {
      throw new IllegalArgumentException(
          name
              + ": a SWIOTLB region of "
              + region.size()
              + " bytes is larger than "
              + RegionRules.MAX_BYTES);
    }
    RegionRules.checkBits(settings, type.id(), others);
  }

  /** Which features are offered, if they may be (section Feature Bits). */
  private long offered() {
    if ((hiddenFeatures & VirtioFeatures.VERSION_1) != 0) {
      throw new IllegalArgumentException(
          name + ": VERSION_1 must be offered, as there is no legacy interface");
    }
    final long own = QueueLayouts.features() | TRANSPORT_BITS;
    final long unknown = extraFeatures & ~(own | DEVICE_BITS | VirtioFeatures.SWIOTLB);
    if (unknown != 0) {
      throw new IllegalArgumentException(
          name
              + ": "
              + String.join(" ", VirtioFeatures.names(type.id(), unknown))
              + " must not be offered, as the device could not do it if it were accepted");
    }
    final long offered = type.features() | (own & ~hiddenFeatures) | extraFeatures;
    final String missing = FeatureDependencies.missing(type.id(), offered);
    if (missing != null) {
      throw new IllegalArgumentException(
          name + ": a feature must not be offered without what it needs: " + missing);
    }
    return offered;
  }
}
