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
  private static final long DEVICE_BITS = 0xff_ffffL; // 0..23; the others that types own come later
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

  /** Offers more feature bits. */
  public VirtioFunctionBuilder offer(final long bits) {
    extraFeatures |= bits;
    return this;
  }

  /** Does not offer these bits of {@link QueueLayouts#features}. */
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
    final long offered =
        type.features()
            | (QueueLayouts.features() & ~hiddenFeatures)
            | VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | extraFeatures;
    if ((type.features() & ~DEVICE_BITS) != 0) {
      throw new IllegalArgumentException(
          name + ": a device type must not offer the transport's or the ring's feature bits");
    }
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
    final ErrorLog log = errors != null ? errors : new ErrorLog(name, System::nanoTime);
    final DeviceCore core =
        new DeviceCore(
            name, type, new FeatureNegotiation(type.id(), offered, strict), options, log);
    return new VirtioPciFunction(name, type, policy, region, core);
  }
}
