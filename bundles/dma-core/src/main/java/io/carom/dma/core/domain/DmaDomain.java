package io.carom.dma.core.domain;

import io.carom.dma.DmaDirection;
import io.carom.dma.core.iova.Addresses;
import io.carom.dma.core.iova.FlushQueue;
import io.carom.dma.core.iova.Pieces;
import io.carom.dma.core.iova.RemapTable;
import io.carom.dma.core.iova.Remapped;
import io.carom.dma.core.memory.PlatformSync;
import io.carom.dma.core.pool.ExtentIndex;
import io.carom.dma.spi.FlushPlan;
import io.carom.dma.spi.IovaSpace;
import io.carom.dma.spi.MapRequest;
import io.carom.guest.PageAllocator;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.memory.GuestMemory;
import io.carom.memory.PhysicalLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One IOMMU domain of the guest: its addresses, the buffers that have addresses of their own there,
 * the extents that pools have there, what is mapped one to one, and what waits for a flush. It
 * belongs to the devices that are attached to it, whichever strategies come and go.
 */
public final class DmaDomain {
  private static final long MOST_INDEXED = 1L << 42; // as far as an ExtentIndex goes

  private final GuestMemory memory;
  private final PlatformSync platform;
  private final GuestIommu iommu;
  private final GuestDomain guest;
  private final long granuleMask;
  private final Addresses addresses;
  private final ExtentIndex index = new ExtentIndex();
  private final RemapTable remaps;
  private final FlushQueue flushes;
  private final Windows windows;
  private final IovaExtents extents;
  private final List<PoolLeases> leases = new CopyOnWriteArrayList<>();
  private final List<String> devices = new CopyOnWriteArrayList<>();

  /**
   * An empty domain, to which nothing is attached.
   *
   * @param reserved runs {start, end inclusive} that must not be mapped
   * @param stripes stripes of flush queues and address magazines
   * @throws IommuException when the IOMMU has none
   */
  public DmaDomain(
      final GuestIommu iommu,
      final GuestMemory memory,
      final PageAllocator pages,
      final AtomicInteger ids,
      final List<long[]> reserved,
      final int stripes,
      final LongSupplier nanoTime)
      throws IommuException {
    this.iommu = iommu;
    this.memory = memory;
    final long granule = iommu.granule();
    granuleMask = granule - 1;
    addresses =
        new Addresses(
            granule,
            Math.max(granule, iommu.inputStart()), // 0 is no address that drivers expect
            Math.min(iommu.inputEnd(), MOST_INDEXED - 1),
            stripes,
            excluded(memory, reserved));
    remaps = new RemapTable(granule);
    final FlushQueue[] queue = new FlushQueue[1];
    guest = iommu.createDomain((iova, bytes, status) -> queue[0].failed(iova, bytes, status));
    flushes = new FlushQueue(addresses, guest::flush, nanoTime, stripes, FlushPlan.STRIPED);
    queue[0] = flushes;
    platform = new PlatformSync(memory);
    windows = new Windows(guest, memory, granule);
    extents = new IovaExtents(guest, memory, pages, index, ids, granule);
  }

  /** Addresses that have a meaning of their own: RAM, registers, device memory, messages. */
  private static long[] excluded(final GuestMemory memory, final List<long[]> reserved) {
    final List<long[]> ranges = new ArrayList<>(reserved);
    for (final long[] run : new PlatformSync(memory).busRuns()) {
      ranges.add(new long[] {run[0], run[0] + run[1] - 1});
    }
    ranges.add(new long[] {PhysicalLayout.MMIO32_BASE, PhysicalLayout.HIGH_RAM_BASE - 1});
    ranges.add(new long[] {PhysicalLayout.MMIO64_BASE, PhysicalLayout.MMIO64_LIMIT - 1});
    return ranges.stream().flatMapToLong(Arrays::stream).toArray();
  }

  /** The domain as the driver has it. */
  public GuestDomain guest() {
    return guest;
  }

  /** The driver that made it. */
  public GuestIommu iommu() {
    return iommu;
  }

  /** Bytes of a granule less one. */
  public long granuleMask() {
    return granuleMask;
  }

  /** Its addresses. */
  public Addresses addresses() {
    return addresses;
  }

  /** Its addresses for one pool. */
  public PoolLeases leases() {
    final PoolLeases made = new PoolLeases(addresses, extents);
    leases.add(made);
    return made;
  }

  /** A pool has ended: what it had leased is given back. */
  public void end(final PoolLeases ended) {
    leases.remove(ended);
    ended.end();
  }

  /** A range that a pool has leased is a mapping's from now on, which gives it back. */
  public void handOver(final long iova, final long bytes) {
    if (bytes > PoolLeases.LARGE) {
      leases.forEach(pool -> pool.handOver(iova));
    }
  }

  /** Extents by address. */
  public ExtentIndex index() {
    return index;
  }

  /** Buffers that have addresses of their own. */
  public RemapTable remaps() {
    return remaps;
  }

  /** What waits for a flush. */
  public FlushQueue flushes() {
    return flushes;
  }

  /** What is mapped one to one. */
  public Windows windows() {
    return windows;
  }

  /** Its extents. */
  public IovaExtents extents() {
    return extents;
  }

  /** Names of the devices that are attached. */
  public List<String> devices() {
    return devices;
  }

  /**
   * Attaches a device.
   *
   * @throws IommuException when the IOMMU refuses
   */
  public void attach(final String device) throws IommuException {
    guest.attach(device);
    devices.add(device);
  }

  /** Detaches a device; one that is gone already, or an IOMMU that is, is no error. */
  public void detach(final String device) {
    devices.remove(device);
    try {
      guest.detach(device);
    } catch (final IommuException e) {
      // its endpoint is gone with the device, or the IOMMU is: nothing is left to detach
      return;
    }
  }

  /**
   * Makes coherent memory reachable: where it is if it can be mapped there, else at an address of
   * the domain.
   *
   * @param mask highest address that the device can form
   * @return the address for the device
   * @throws IommuException when the IOMMU refuses
   */
  public long coherent(final long busAddress, final long size, final long mask)
      throws IommuException {
    if (busAddress >= iommu.inputStart() && busAddress + size - 1 <= iommu.inputEnd()) {
      final int status = windows.coherent(busAddress, size);
      if (status == IommuStatus.OK) {
        return busAddress;
      }
      throw new IommuException("map at 0x" + Long.toHexString(busAddress), status);
    }
    final long bytes = ioBytes(busAddress, size);
    final long iova = addresses.lease(0, bytes, mask);
    if (iova == IovaSpace.NONE) {
      throw new IommuException("no address for " + bytes + " bytes", IommuStatus.NOMEM);
    }
    final int status =
        guest.map(iova, busAddress & ~granuleMask, bytes, IovaSpace.READ | IovaSpace.WRITE);
    if (status != IommuStatus.OK) {
      addresses.giveBack(0, iova, bytes);
      throw new IommuException("map at 0x" + Long.toHexString(iova), status);
    }
    return iova + (busAddress & granuleMask);
  }

  /** Coherent memory is being given back: the device does not reach it when this returns. */
  public void freed(final long address, final long size) {
    if (platform.physical(address, 1) >= 0) {
      windows.freed(address);
      return;
    }
    final long iova = address & ~granuleMask;
    final long bytes = ioBytes(address, size);
    if (guest.unmap(iova, bytes) == IommuStatus.OK) {
      addresses.giveBack(0, iova, bytes);
    } else {
      addresses.leak(iova, bytes);
    }
  }

  /**
   * Writes down what a map takes in the domain. Under the stripe's lock.
   *
   * @param list how the list is laid out, or null for a single buffer
   */
  public void describe(
      final MapRequest request, final @Nullable Pieces list, final boolean untrusted) {
    if (list == null) {
      request.entries = 1;
      request.ioBytes = ioBytes(request.address, request.size);
      request.mustBounce = untrusted && ((request.address | request.size) & granuleMask) != 0;
    } else {
      request.entries = list.entries();
      request.ioBytes = list.ioBytes();
      request.mustBounce = untrusted && list.unaligned();
    }
  }

  /** Bytes of the granules that a buffer touches. */
  public long ioBytes(final long address, final long size) {
    return ((address & granuleMask) + size + granuleMask) & ~granuleMask; // below 2^48
  }

  /** What a device may do with a buffer. */
  public static int permissions(final int direction) {
    return direction == DmaDirection.TO_DEVICE.ordinal()
        ? IovaSpace.READ
        : direction == DmaDirection.FROM_DEVICE.ordinal()
            ? IovaSpace.WRITE
            : IovaSpace.READ | IovaSpace.WRITE;
  }

  /** Maps one buffer at a leased range; a status of {@link IommuStatus}. */
  public int map(final long iova, final long address, final long size, final int direction) {
    final long bytes = ioBytes(address, size);
    final long bus = platform.busAddress(address & ~granuleMask, bytes);
    return bus < 0
        ? IommuStatus.RANGE // not all in one bank
        : guest.map(iova, bus, bytes, permissions(direction));
  }

  /** Maps the pieces of a list side by side; a status of {@link IommuStatus}. */
  public int map(final long iova, final Pieces list, final int direction) {
    final long[] buses =
        platform.plain() && memory.busOffset() == 0 ? list.addresses() : new long[list.count()];
    for (int i = 0; buses != list.addresses() && i < buses.length; i++) {
      buses[i] = platform.busAddress(list.addresses()[i], list.lengths()[i]);
      if (buses[i] < 0) {
        return IommuStatus.RANGE; // not all in one bank
      }
    }
    return guest.map(iova, buses, list.lengths(), list.count(), permissions(direction));
  }

  /** Ends the mapping of a record that was claimed, at once or at the next flush. */
  public void unmap(final Remapped record) {
    if (record.deferred()) {
      guest.queueUnmap(record.iova, record.ioBytes);
      remaps.end(record);
      flushes.add(record.stripe, record.iova, record.ioBytes);
      return;
    }
    final int status = guest.unmap(record.iova, record.ioBytes);
    remaps.end(record);
    if (status == IommuStatus.OK) {
      addresses.giveBack(record.stripe, record.iova, record.ioBytes);
    } else {
      addresses.leak(record.iova, record.ioBytes);
    }
  }

  /** Flushes what waits for it; false when nothing did. */
  public boolean flushQueued() {
    if (flushes.queued() == 0) {
      return false;
    }
    flushes.flushAll();
    return true;
  }

  /** Whether nothing is mapped but coherent memory and windows. */
  public boolean isIdle() {
    return remaps.size() == 0 && extents.pagesHeld() == 0;
  }

  /** Ends the domain: nothing of it is used any more. */
  public void close() {
    flushes.flushAll();
    guest.close();
  }
}
