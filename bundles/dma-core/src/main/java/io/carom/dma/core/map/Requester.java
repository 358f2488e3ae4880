package io.carom.dma.core.map;

import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.dma.core.domain.DmaDomain;
import io.carom.dma.core.iova.Pieces;
import io.carom.dma.core.memory.PlatformSync;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.spi.MapRequest;
import io.carom.memory.GuestMemory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * What a device is to a map: its masks, the memory and the platform that it sees, and the IOMMU
 * domain that it is in. Writes that down for a strategy.
 */
abstract class Requester {
  final CoreTables tables;

  // What a map needs of the two, without the way to it: each step on it is a load that waits for
  // the one before.
  final GuestMemory memory;
  final MemorySegment ram;
  final ExtentIndex index;
  final Copier copier;
  final Tick tick;
  final boolean confidential;
  final long busOffset;
  final PlatformSync platform;
  final boolean plain;
  final boolean coherent;
  final long dmaMask;
  final long minAlignMask;
  final long allocAlignMask;
  final long boundaryMask;
  final int device;

  /**
   * The IOMMU domain that the device is attached to, or null. Plain: it is set before a generation
   * that needs it is published, and stays while a mapping lives in it.
   */
  private @Nullable DmaDomain domain;

  /** Whether what shares a granule with the device's buffers is hidden from it. */
  private volatile boolean untrusted;

  Requester(final CoreTables tables, final DmaDeviceSpec spec, final int device) {
    this.tables = tables;
    memory = tables.memory();
    ram = memory.ram();
    index = tables.index();
    copier = tables.copier();
    tick = tables.tick();
    confidential = memory.confidential();
    busOffset = memory.busOffset();
    platform = new PlatformSync(memory);
    plain = platform.plain();
    coherent = platform.coherent();
    dmaMask = spec.dmaMask();
    minAlignMask = spec.minAlignMask();
    allocAlignMask = spec.allocAlignMask();
    boundaryMask = spec.boundaryMask();
    this.device = device;
  }

  /** The IOMMU domain that the device is attached to, or null. */
  public final @Nullable DmaDomain domain() {
    return domain;
  }

  /** Says which IOMMU domain the device is attached to. By the swap only. */
  public final void domain(final @Nullable DmaDomain value) {
    domain = value;
  }

  /** Says whether what shares a granule with the device's buffers is to be hidden from it. */
  public final void untrusted(final boolean value) {
    untrusted = value;
  }

  /**
   * Writes a request down for the strategy. Under the stripe's lock; what is the device's stays
   * there from one of its maps to the next.
   */
  final void write(
      final MapRequest request,
      final long address,
      final long size,
      final DmaDirection direction,
      final int attributes,
      final @Nullable Pieces list) {
    request.address = address;
    request.busAddress =
        confidential && !memory.shared(address)
            ? -1
            : plain ? address + busOffset : platform.busAddress(address, size);
    request.size = size;
    if (request.direction != direction.ordinal()) {
      request.direction = direction.ordinal();
    }
    if (request.attributes != attributes) {
      request.attributes = attributes;
    }
    if (request.device != device) {
      writeDevice(request);
    }
    final DmaDomain space = domain;
    if (space != null) {
      space.describe(request, list, untrusted);
    }
  }

  private void writeDevice(final MapRequest request) {
    request.device = device;
    request.dmaMask = dmaMask;
    request.minAlignMask = minAlignMask;
    request.allocAlignMask = allocAlignMask;
    request.boundaryMask = boundaryMask;
    request.unconstrained = (minAlignMask | allocAlignMask) == 0 && boundaryMask < 0;
  }

  final boolean reaches(final long bus, final long size) {
    return Long.compareUnsigned(bus + size - 1, dmaMask) <= 0; // both below 2^48
  }
}
