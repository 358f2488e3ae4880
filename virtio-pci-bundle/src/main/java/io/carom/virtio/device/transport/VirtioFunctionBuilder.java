package io.carom.virtio.device.transport;

import io.carom.virtio.RegionOptions;
import io.carom.virtio.RingOptions;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.device.queue.QueueLayout;
import io.carom.virtio.device.queue.SplitLayout;
import io.carom.virtio.device.region.BounceRegion;
import io.carom.virtio.device.region.RegionRules;
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

  private final String name;
  private final DeviceType type;
  private QueueLayout layout = new SplitLayout();
  private WorkerOptions options = WorkerOptions.threaded();
  private BounceRegion region = BounceRegion.NONE;
  private MemorySegment plainMemory = MemorySegment.NULL;
  private SwiotlbPolicy plainPolicy = SwiotlbPolicy.NONE;
  private RingOptions ring = RingOptions.DEFAULT;
  private long extraFeatures;
  private long hiddenFeatures;
  private @Nullable ErrorLog errors;

  /** A function of this name, without a SWIOTLB region. */
  public VirtioFunctionBuilder(final String name, final DeviceType type) {
    this.name = name;
    this.type = type;
  }

  /** The ring layout; split by default. */
  public VirtioFunctionBuilder layout(final QueueLayout wanted) {
    layout = wanted;
    return this;
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

  /** Which ring features are offered. */
  public VirtioFunctionBuilder ring(final RingOptions wanted) {
    ring = wanted;
    return this;
  }

  /** Offers more feature bits. */
  public VirtioFunctionBuilder offer(final long bits) {
    extraFeatures |= bits;
    return this;
  }

  /** Does not offer these bits of the ring layout. */
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
    if (region == BounceRegion.NONE) {
      region =
          BounceRegion.inBar(
              RegionOptions.of(plainPolicy, plainMemory.byteSize()), plainMemory, null);
    }
    final long others =
        type.features()
            | (layout.features() & ~hiddenFeatures & ~withheld())
            | VirtioFeatures.VERSION_1
            | VirtioFeatures.ACCESS_PLATFORM
            | extraFeatures;
    final long offered = others | region.offered();
    if ((type.features() & ~DEVICE_BITS) != 0) {
      throw new IllegalArgumentException(
          name + ": a device type must not offer the transport's or the ring's feature bits");
    }
    checkRegion(others);
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
    if (!layout.legalSize(type.queueSize())) {
      throw new IllegalArgumentException(
          name + ": the ring layout has no queues of size " + type.queueSize());
    }
    final ErrorLog log = errors != null ? errors : new ErrorLog(name, System::nanoTime);
    final DeviceCore core =
        new DeviceCore(
            name, type, region, layout, new FeatureNegotiation(type.id(), offered, region), options, log);
    return new VirtioPciFunction(name, type, region, core);
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

  private long withheld() {
    return (ring.indirect() ? 0 : VirtioFeatures.INDIRECT_DESC)
        | (ring.eventIdx() ? 0 : VirtioFeatures.EVENT_IDX);
  }
}
