package io.carom.virtio.device.transport;

import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.QueueLayouts;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.lang.foreign.MemorySegment;
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
  private static final long MAX_REGION = 1L << 31; // a capability's length has 32 bits

  private final String name;
  private final DeviceType type;
  private WorkerOptions options = WorkerOptions.threaded();
  private @Nullable MemorySegment region;
  private long extraFeatures;
  private long hiddenFeatures;
  private boolean strict;
  private SwiotlbPolicy policy = SwiotlbPolicy.NONE;
  private @Nullable ErrorLog errors;
  private @Nullable SharedMemory shared;
  private @Nullable VendorData vendor;
  private CommandListener listener = CommandListener.NONE;

  /** A function of this name, without a SWIOTLB region. */
  public VirtioFunctionBuilder(final String name, final DeviceType type) {
    this.name = name;
    this.type = type;
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

  /** The SWIOTLB region, which makes the capability. */
  public VirtioFunctionBuilder region(final MemorySegment memory) {
    region = memory;
    return this;
  }

  /** What the device does about its region: sets what is offered and insisted on. */
  public VirtioFunctionBuilder policy(final SwiotlbPolicy wanted) {
    policy = wanted;
    strict = wanted == SwiotlbPolicy.STRICT;
    if (strict || wanted == SwiotlbPolicy.COMPAT) {
      extraFeatures |= VirtioFeatures.SWIOTLB;
    } else {
      extraFeatures &= ~VirtioFeatures.SWIOTLB;
    }
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

  /** Who decides what a change of the route to memory means. */
  public VirtioFunctionBuilder listener(final CommandListener wanted) {
    listener = wanted;
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
    final long offered = offered();
    // The proposal: a device must not offer the bit if its transport provides no buffer.
    if ((offered & VirtioFeatures.SWIOTLB) != 0 && region == null) {
      throw new IllegalArgumentException(
          name
              + ": the SWIOTLB feature (bit "
              + VirtioFeatures.SWIOTLB_BIT
              + ") must not be offered without the SWIOTLB capability: give it a region, or"
              + " policy=none");
    }
    if (region != null && policy == SwiotlbPolicy.NONE) {
      throw new IllegalArgumentException(name + ": policy=none has no SWIOTLB region");
    }
    if (region == null && policy != SwiotlbPolicy.NONE) {
      throw new IllegalArgumentException(name + ": policy=" + policy + " needs a SWIOTLB region");
    }
    if (region != null && region.byteSize() > MAX_REGION) {
      throw new IllegalArgumentException(
          name
              + ": a SWIOTLB region of "
              + region.byteSize()
              + " bytes is larger than "
              + MAX_REGION);
    }
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
            name, type, new FeatureNegotiation(type.id(), offered, strict), options, log);
    core.listener(listener);
    return new VirtioPciFunction(name, type, policy, region, core, places);
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
