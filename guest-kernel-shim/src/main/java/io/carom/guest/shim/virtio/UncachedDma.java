package io.carom.guest.shim.virtio;

import io.carom.dma.CoherentBuffer;
import io.carom.dma.DmaAttributes;
import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDirection;
import io.carom.dma.DmaFence;
import io.carom.dma.Negotiation;
import io.carom.dma.ReachableBuffer;
import io.carom.dma.ScatterList;
import io.carom.memory.RegionView;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * DMA of a device whose region CPUs do not cache. The core below copies as always; what it has
 * stored in the region is told to the view, and what the device stored is loaded before the core
 * copies it out. The flush is the ring's, before it shows the device anything: one for all that was
 * mapped since. Coherent memory is used past all that, as rings are accessed field by field.
 */
final class UncachedDma implements DmaDevice {
  private final DmaDevice core;
  private final RegionView view;
  private final long base;
  private final long start;
  private final long size;
  private final Map<Long, CoherentBuffer> coherent = new ConcurrentHashMap<>(); // by bus address

  /**
   * Around the core's device.
   *
   * @param base bus address at which the view begins
   * @param start bus address of the device's part of it
   * @param size bytes of that part
   */
  UncachedDma(
      final DmaDevice core,
      final RegionView view,
      final long base,
      final long start,
      final long size) {
    this.core = core;
    this.view = view;
    this.base = base;
    this.start = start;
    this.size = size;
  }

  private boolean inRegion(final long busAddress) {
    return busAddress >= start && busAddress - start < size;
  }

  private void stored(final long busAddress, final long length) {
    if (inRegion(busAddress)) {
      view.stored(busAddress - base, length);
    }
  }

  private void load(final long busAddress, final long length, final DmaDirection direction) {
    if (direction.fromDevice() && inRegion(busAddress)) {
      view.load(busAddress - base, length);
    }
  }

  @Override
  public String name() {
    return core.name();
  }

  @Override
  public void driver(final String driver) {
    core.driver(driver);
  }

  @Override
  public void maxSegmentSize(final long bytes) {
    core.maxSegmentSize(bytes);
  }

  @Override
  public void negotiated(final Negotiation negotiation) {
    core.negotiated(negotiation);
  }

  @Override
  public long map(
      final long address, final long length, final DmaDirection direction, final int attributes) {
    final long bus = core.map(address, length, direction, attributes);
    if (bus >= 0) {
      stored(bus, length);
    }
    return bus;
  }

  @Override
  public boolean mappingError(final long busAddress) {
    return core.mappingError(busAddress);
  }

  @Override
  public void cpuAccess(final long address, final long length, final boolean write) {
    core.cpuAccess(address, length, write);
  }

  @Override
  public void unmap(
      final long busAddress,
      final long length,
      final DmaDirection direction,
      final int attributes) {
    if ((attributes & DmaAttributes.SKIP_CPU_SYNC) == 0) {
      load(busAddress, length, direction);
    }
    core.unmap(busAddress, length, direction, attributes);
  }

  @Override
  public void syncForCpu(final long busAddress, final long length, final DmaDirection direction) {
    load(busAddress, length, direction);
    core.syncForCpu(busAddress, length, direction);
  }

  @Override
  public void syncForDevice(
      final long busAddress, final long length, final DmaDirection direction) {
    core.syncForDevice(busAddress, length, direction);
    stored(busAddress, length);
  }

  @Override
  public int mapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    final int runs = core.mapSg(list, direction, attributes);
    storedAll(list, runs);
    return runs;
  }

  private void storedAll(final ScatterList list, final int runs) {
    for (int i = 0; i < runs; i++) {
      stored(list.busAddress(i), list.mappedLength(i));
    }
  }

  private void loadAll(final ScatterList list, final DmaDirection direction) {
    for (int i = 0; i < list.mappedEntries(); i++) {
      load(list.busAddress(i), list.mappedLength(i), direction);
    }
  }

  @Override
  public void unmapSg(final ScatterList list, final DmaDirection direction, final int attributes) {
    if ((attributes & DmaAttributes.SKIP_CPU_SYNC) == 0) {
      loadAll(list, direction);
    }
    core.unmapSg(list, direction, attributes);
  }

  @Override
  public void syncSgForCpu(final ScatterList list, final DmaDirection direction) {
    loadAll(list, direction);
    core.syncSgForCpu(list, direction);
  }

  @Override
  public void syncSgForDevice(final ScatterList list, final DmaDirection direction) {
    core.syncSgForDevice(list, direction);
    storedAll(list, list.mappedEntries());
  }

  @Override
  public CoherentBuffer allocateCoherent(final long length) {
    final CoherentBuffer buffer = core.allocateCoherent(length);
    if (!inRegion(buffer.busAddress())) {
      return buffer;
    }
    coherent.put(buffer.busAddress(), buffer);
    final MemorySegment strict = view.strict().asSlice(buffer.busAddress() - base, buffer.size());
    strict.fill((byte) 0); // the core has zeroed what CPUs see
    return new CoherentBuffer(buffer.busAddress(), strict);
  }

  @Override
  public void freeCoherent(final CoherentBuffer buffer) {
    final CoherentBuffer ofCore = coherent.remove(buffer.busAddress());
    core.freeCoherent(ofCore == null ? buffer : ofCore);
  }

  @Override
  public @Nullable ReachableBuffer allocateReachable(final long length) {
    return core.allocateReachable(length);
  }

  @Override
  public void freeReachable(final ReachableBuffer buffer) {
    core.freeReachable(buffer);
  }

  @Override
  public void fence(final @Nullable DmaFence fence) {
    core.fence(fence);
  }

  @Override
  public long maxMappingSize() {
    return core.maxMappingSize();
  }

  /** The region always needs to be told of, also of buffers that the driver holds in it. */
  @Override
  public boolean needsSync() {
    return true;
  }

  @Override
  public long liveMappings() {
    return core.liveMappings();
  }

  @Override
  public void close() {
    core.close();
  }
}
