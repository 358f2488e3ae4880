package io.carom.virtio.device.region;

import io.carom.memory.RegionView;
import io.carom.pci.BarSpec;
import io.carom.pci.CapabilitySpec;
import io.carom.pci.OwnRange;
import io.carom.virtio.RegionCapDescriptor;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.RegionOptions.Addressing;
import io.carom.virtio.RegionOptions.DmbMode;
import io.carom.virtio.RegionOptions.Mixing;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioFeatures;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A device's SWIOTLB region and its settings: what of it is in the function's BARs and
 * capabilities, which features are offered for it, and which sets of them can be worked with (the
 * SWIOTLB proposal's combination matrix, and the proposal of VIRTIO_F_DMB). Thread-safe.
 */
public final class BounceRegion {
  /** No region. */
  public static final BounceRegion NONE =
      new BounceRegion(RegionOptions.NONE, MemorySegment.NULL, null, Place.OWN_BAR, 0, -1, -1);

  private static final long VERSION_1 = VirtioFeatures.VERSION_1;
  private static final long ACCESS_PLATFORM = VirtioFeatures.ACCESS_PLATFORM;
  private static final long ORDER_PLATFORM = VirtioFeatures.ORDER_PLATFORM;

  private enum Place {
    OWN_BAR,
    FUNCTION_BAR,
    RAM
  }

  private final RegionOptions options;
  private final MemorySegment memory;
  private final @Nullable RegionView view;
  private final Place place;
  private final int owner;
  private final long address;
  private final long busAddress;
  private final AtomicLong scrubs = new AtomicLong();

  private BounceRegion(
      final RegionOptions options,
      final MemorySegment memory,
      final @Nullable RegionView view,
      final Place place,
      final int owner,
      final long address,
      final long busAddress) {
    this.options = options;
    this.memory = memory;
    this.view = view;
    this.place = place;
    this.owner = owner;
    this.address = address;
    this.busAddress = busAddress;
  }

  /** A region in a BAR of the function itself. */
  public static BounceRegion inBar(
      final RegionOptions options, final MemorySegment memory, final @Nullable RegionView view) {
    return new BounceRegion(options, memory, view, Place.OWN_BAR, 0, -1, -1);
  }

  /** A region in a BAR of another function of the same device. */
  public static BounceRegion ofFunction(
      final RegionOptions options, final MemorySegment memory, final int owner) {
    return new BounceRegion(options, memory, null, Place.FUNCTION_BAR, owner, -1, -1);
  }

  /**
   * A region in guest RAM.
   *
   * @param address guest-physical
   */
  public static BounceRegion inRam(
      final RegionOptions options,
      final MemorySegment memory,
      final long address,
      final long busAddress) {
    return new BounceRegion(options, memory, null, Place.RAM, 0, address, busAddress);
  }

  /** Its settings. */
  public RegionOptions options() {
    return options;
  }

  /** Whether there is one. */
  public boolean present() {
    return memory.byteSize() > 0;
  }

  /** Bytes of it; 0 without one. */
  public long size() {
    return memory.byteSize();
  }

  /** Its bytes as the device sees them; none without a region. */
  public MemorySegment memory() {
    return memory;
  }

  /** How the guest's CPUs see it, or null when they cache it coherently. */
  public @Nullable RegionView view() {
    return view;
  }

  // ---- on the bus

  /** Its BAR, or null when it has none in this function. */
  public @Nullable BarSpec bar(final int index) {
    return present() && place == Place.OWN_BAR ? BarSpec.swiotlb(index, memory) : null;
  }

  /** How the function reaches it, or null without one. */
  public @Nullable OwnRange range(final int bar) {
    if (!present()) {
      return null;
    }
    final boolean gated = !options.withoutBusMaster();
    return switch (place) {
      case OWN_BAR -> OwnRange.bar(memory, view, OwnRange.SELF, bar, gated);
      case FUNCTION_BAR -> OwnRange.bar(memory, view, owner, bar, gated);
      case RAM -> OwnRange.ram(memory, busAddress, gated);
    };
  }

  /** What tells the driver of it. */
  public List<CapabilitySpec> capabilities(final int bar) {
    if (!present()) {
      return List.of();
    }
    final byte[] body =
        options.dmb().offered()
            ? RegionCapability.sharedMemory(bar, options.dmb().shmId(), size())
            : region(bar);
    return List.of(CapabilitySpec.readOnly(body));
  }

  private byte[] region(final int bar) {
    final int flags = flags();
    final int sharing = options.sharers() - 1 << RegionCapDescriptor.SHARERS_SHIFT;
    if (place == Place.RAM) {
      return RegionCapability.full(RegionCapDescriptor.SYSTEM_MEMORY, 0, flags, address, size());
    }
    return place == Place.OWN_BAR && (flags | sharing) == 0
        ? RegionCapability.plain(bar, size())
        : RegionCapability.full(
            sharing == 0 ? bar : RegionCapDescriptor.OF_FUNCTION | bar,
            owner | sharing,
            flags,
            0,
            size());
  }

  private int flags() {
    return (options.addressing() == Addressing.OFFSET ? RegionCapDescriptor.FLAG_OFFSETS : 0)
        | (options.mixing() == Mixing.ALL_OR_NOTHING ? RegionCapDescriptor.FLAG_ALL_OR_NOTHING : 0)
        | options.caching().ordinal() << RegionCapDescriptor.CACHING_SHIFT;
  }

  /** What a read of the common configuration finds there of DMB; 0 where it has nothing. */
  public long common(final int offset, final int width) {
    final int at = options.dmb().register() - offset;
    return options.dmb().offered() && at >= 0 && at < width
        ? (long) options.dmb().shmId() << (Byte.SIZE * at)
        : 0;
  }

  // ---- features

  /** Features that are offered for it. */
  public long offered() {
    return (options.swiotlbOffered() ? options.swiotlbMask() : 0)
        | (options.dmb().offered() ? options.dmbMask() : 0);
  }

  /** Whether the driver accepted that everything lies in the region. */
  public boolean restricted(final long accepted) {
    return (accepted & offered()) != 0;
  }

  /** Whether addresses on the wire are offsets. */
  public boolean offsets(final long accepted) {
    return restricted(accepted)
        && (options.dmb().offered() || options.addressing() == Addressing.OFFSET);
  }

  /** Why a set of accepted features cannot be worked with, or null. */
  public @Nullable String refusal(final long offered, final long accepted) {
    if (options.policy() == SwiotlbPolicy.STRICT && !restricted(accepted)) {
      return "the driver did not accept SWIOTLB (bit "
          + options.swiotlbBit()
          + "), which policy=strict insists on; policy=compat or hint does not";
    }
    if (!options.dmb().offered()) {
      return null;
    }
    if (!restricted(accepted)) {
      return options.dmb().mode() == DmbMode.STRICT
          ? "the driver did not accept DMB (bit "
              + options.dmb().bit()
              + "), which dmb=strict insists on; dmb=on does not"
          : null;
    }
    final long needed = VERSION_1 | ACCESS_PLATFORM | (offered & ORDER_PLATFORM);
    final long missing = needed & ~accepted;
    return missing == 0
        ? null
        : "the driver accepted DMB (bit "
            + options.dmb().bit()
            + ") without "
            + String.join(" ", VirtioFeatures.names(0, missing));
  }

  // ---- reset

  /**
   * The device is reset, and nothing of before touches the region any more: zeroes it, if that is
   * wanted. What a DMB device held is void after a reset, so it never shows.
   */
  public void reset() {
    if (present() && (options.scrubOnReset() || options.dmb().offered())) {
      memory.fill((byte) 0);
      scrubs.incrementAndGet();
    }
  }

  /** How often it was zeroed. */
  public long scrubs() {
    return scrubs.get();
  }

  /** Where it lies, in words. */
  public String where() {
    return switch (place) {
      case OWN_BAR -> "bar";
      case FUNCTION_BAR -> "function " + owner;
      case RAM -> "ram";
    };
  }
}
