package io.carom.dma.core.iova;

import io.carom.dma.spi.IovaSpace;

/**
 * The addresses of one IOMMU domain. Sizes of up to 32 granules are rounded up to a power of two
 * and kept in magazines: a {@link Rack} for each stripe and a {@link Depot} between them, as Linux
 * does it (iova.c). All else, and what the magazines cannot serve, comes top down from a set of
 * free addresses, whose lock is held for a search.
 *
 * <p><b>Locks.</b> A rack's lock is taken before the depot's monitor; the free set's monitor is
 * taken with neither held. The array of racks is the monitor of who empties them, outermost. Each
 * address is at any time in exactly one place: with a lessee, in a magazine, in the free set,
 * excluded, or leaked.
 *
 * <p><b>Reserving.</b> A range in a magazine is nobody's, but is not in the free set. {@link
 * #reserve} and a lease that finds nothing first turn the magazines off, then empty each under its
 * lock: whoever gives back later sees them off, under the same lock, and goes to the free set. So
 * when all are emptied nothing idle is hidden, and what is neither free nor excluded is in use.
 */
public final class Addresses implements IovaSpace {
  /** Addresses from here on are left alone: sums of two of those below cannot overflow. */
  public static final long END = 1L << 62;

  private static final int DEPOT = 32; // full magazines of each order

  private final int shift;
  private final long first;
  private final long end;
  private final Rack[] racks;
  private final Depot depot;
  private final AddressSet free = new AddressSet(); // guarded by itself, like all below
  private final AddressSet excluded = new AddressSet();
  private long leasedBeside; // bytes, with no rack
  private long leaked;
  private int off; // callers that turned the magazines off; written under free's monitor
  private volatile boolean magazinesOff;
  private final LeaseMap leases;

  /**
   * All addresses of an aperture, but those of its first granule if that is at 0: address 0 is no
   * address to many a driver.
   *
   * @param granule bytes, a power of two
   * @param first first address
   * @param last last address, inclusive; negative, as an unsigned number, is beyond {@link #END}
   * @param stripes magazines, at least 1; rounded up to a power of two
   * @param exclusions pairs of first and last address, in any order, overlapping or not; they
   *     exclude whole granules
   */
  public Addresses(
      final long granule,
      final long first,
      final long last,
      final int stripes,
      final long[] exclusions) {
    if (Long.bitCount(granule) != 1) {
      throw new IllegalArgumentException("granule " + granule + " is no power of two");
    }
    shift = Long.numberOfTrailingZeros(granule);
    this.first = Math.max(granule, up(capped(first)));
    end = (last < 0 || last >= END ? END : last + 1) & -granule;
    if (this.first >= end) {
      throw new IllegalArgumentException(
          "aperture " + RemapShard.hex(first) + "-" + RemapShard.hex(last) + " holds no granule");
    }
    racks = new Rack[Integer.highestOneBit(2 * Math.max(1, stripes) - 1)];
    for (int i = 0; i < racks.length; i++) {
      racks[i] = new Rack();
    }
    depot = new Depot(DEPOT + racks.length);
    leases = new LeaseMap(shift);
    free.add(this.first, end);
    for (int i = 0; i < exclusions.length; i += 2) {
      exclude(exclusions[i], exclusions[i + 1]);
    }
  }

  private static long capped(final long address) {
    return address < 0 || address > END ? END : address;
  }

  private long up(final long address) {
    return ((address - 1) >> shift << shift) + (1L << shift);
  }

  /** Takes the granules of a range, last address inclusive, out for good. */
  private void exclude(final long from, final long last) {
    final long start = Math.max(first, capped(from) >> shift << shift);
    final long to = Math.min(end, up(Math.min(capped(last), END - 1) + 1));
    if (start < to) {
      free.remove(start, to);
      excluded.add(start, to);
    }
  }

  @Override
  public long granule() {
    return 1L << shift;
  }

  @Override
  public long first() {
    return first;
  }

  @Override
  public long last() {
    return end - 1;
  }

  @Override
  public long lease(final int stripe, final long bytes, final long limit) {
    checkSize(bytes);
    final long past = limit < 0 || limit >= end ? end : limit + 1; // as exclusive end
    final int order = order(bytes);
    if (order >= Depot.ORDERS) {
      return leased(take(bytes, past), bytes);
    }
    final long size = 1L << (order + shift);
    final Rack rack = racks[stripe & (racks.length - 1)];
    rack.lock(Thread.currentThread().threadId());
    try {
      final long iova = rack.get(order, past - size, depot);
      if (iova >= 0) {
        rack.leased += size;
        return leased(iova, size);
      }
    } finally {
      rack.unlock();
    }
    return leased(take(size, past), size);
  }

  private long leased(final long iova, final long size) {
    if (iova != NONE) {
      leases.begin(iova, size);
    }
    return iova;
  }

  /** Whether exactly this range is leased now, sizes as rounded up. */
  public boolean isLeased(final long iova, final long bytes) {
    if (bytes <= 0 || bytes >= END || iova < first || iova > end - bytes) {
      return false;
    }
    final int order = order(bytes);
    return leases.isLeased(iova, order < Depot.ORDERS ? 1L << (order + shift) : bytes);
  }

  private long take(final long bytes, final long past) {
    final long iova = takeFree(bytes, past);
    if (iova >= 0 || past - bytes < first || cachedBytes() == 0) {
      return iova;
    }
    magazinesOff();
    try {
      return takeFree(bytes, past);
    } finally {
      magazinesOn();
    }
  }

  private long takeFree(final long bytes, final long past) {
    synchronized (free) {
      final long iova = free.take(bytes, alignment(bytes), past);
      if (iova >= 0) {
        leasedBeside += bytes;
      }
      return iova < 0 ? NONE : iova;
    }
  }

  @Override
  public void giveBack(final int stripe, final long iova, final long bytes) {
    checkSize(bytes);
    final int order = order(bytes);
    if (order < Depot.ORDERS) {
      final long size = 1L << (order + shift);
      check(iova, size);
      end(iova, size);
      final Rack rack = racks[stripe & (racks.length - 1)];
      rack.lock(Thread.currentThread().threadId());
      try {
        if (!magazinesOff && rack.put(order, iova, depot)) {
          rack.leased -= size;
          return;
        }
      } finally {
        rack.unlock();
      }
      free(iova, size);
      return;
    }
    check(iova, bytes);
    end(iova, bytes);
    free(iova, bytes);
  }

  private void end(final long iova, final long bytes) {
    if (!leases.end(iova, bytes)) {
      throw notLeased(iova, bytes);
    }
  }

  private static IllegalArgumentException notLeased(final long iova, final long bytes) {
    return new IllegalArgumentException(
        "range " + RemapShard.hex(iova) + " of " + bytes + " bytes is not leased");
  }

  private void free(final long iova, final long bytes) {
    synchronized (free) {
      checkLeased(iova, bytes);
      free.add(iova, iova + bytes);
      leasedBeside -= bytes;
    }
  }

  private void checkLeased(final long iova, final long bytes) {
    if (free.bytes(iova, iova + bytes) != 0 || excluded.bytes(iova, iova + bytes) != 0) {
      throw notLeased(iova, bytes);
    }
  }

  /**
   * Gives a leased range up for good: nobody knows whether it is still mapped.
   *
   * @param bytes as leased
   */
  public void leak(final long iova, final long bytes) {
    checkSize(bytes);
    final int order = order(bytes);
    final long size = order < Depot.ORDERS ? 1L << (order + shift) : bytes;
    check(iova, size);
    end(iova, size);
    synchronized (free) {
      checkLeased(iova, size);
      leasedBeside -= size;
      leaked += size;
    }
  }

  /**
   * Takes a range out for good, last address inclusive; parts that are excluded already may be in
   * it, and what is beyond the aperture does not count.
   *
   * @return false when a part of it is leased or leaked; nothing is changed then
   */
  public boolean reserve(final long from, final long last) {
    magazinesOff();
    try {
      final long start = Math.max(first, capped(from) >> shift << shift);
      final long to = Math.min(end, up(Math.min(capped(last), END - 1) + 1));
      synchronized (free) {
        if (start < to && free.bytes(start, to) + excluded.bytes(start, to) != to - start) {
          return false;
        }
        exclude(from, last);
        return true;
      }
    } finally {
      magazinesOn();
    }
  }

  /** Empties all magazines. */
  public void trim() {
    magazinesOff();
    magazinesOn();
  }

  private void magazinesOff() {
    synchronized (free) {
      off++;
      magazinesOff = true;
    }
    synchronized (racks) { // what another one has just taken out is free when we go on
      for (final Rack rack : racks) {
        for (int order = 0; order < Depot.ORDERS; order++) {
          empty(rack, order);
        }
      }
    }
  }

  private void magazinesOn() {
    synchronized (free) {
      magazinesOff = --off != 0;
    }
  }

  /** Frees what a rack holds of an order, and what the depot has of it. */
  private void empty(final Rack rack, final int order) {
    final long size = 1L << (order + shift);
    while (true) {
      long iova;
      rack.lock(Thread.currentThread().threadId());
      try {
        iova = rack.any(order);
        if (iova < 0) {
          iova = rack.get(order, end, depot);
        }
        if (iova >= 0) {
          rack.leased += size; // ours, until it is free
        }
      } finally {
        rack.unlock();
      }
      if (iova < 0) {
        return;
      }
      free(iova, size);
    }
  }

  /** Bytes leased, sizes as rounded up; a little old. */
  public long leasedBytes() {
    long sum = 0;
    for (final Rack rack : racks) {
      sum += rack.leased;
    }
    synchronized (free) {
      return sum + leasedBeside;
    }
  }

  /** Bytes that are lost to failed unmaps. */
  public long leakedBytes() {
    synchronized (free) {
      return leaked;
    }
  }

  /** Bytes excluded or reserved. */
  public long excludedBytes() {
    synchronized (free) {
      return excluded.bytes();
    }
  }

  /** Bytes free, magazines aside. */
  public long freeBytes() {
    synchronized (free) {
      return free.bytes();
    }
  }

  /** Bytes in magazines; a little old. */
  public long cachedBytes() {
    long sum = 0;
    for (int order = 0; order < Depot.ORDERS; order++) {
      long ranges = depot.ranges(order);
      for (final Rack rack : racks) {
        ranges += rack.used(order);
      }
      sum += ranges << (order + shift);
    }
    return sum;
  }

  /** The power of two of granules that holds so many bytes. */
  private int order(final long bytes) {
    return Long.SIZE - Long.numberOfLeadingZeros((bytes - 1) >> shift);
  }

  /** The power of two from a size on. */
  private static long alignment(final long bytes) {
    return Long.highestOneBit((2 * bytes) - 1); // sizes are below 2^62
  }

  private void checkSize(final long bytes) {
    if (bytes <= 0 || (bytes & (granule() - 1)) != 0 || bytes >= END) {
      throw new IllegalArgumentException(
          bytes + " bytes are no whole granules of " + granule() + " bytes");
    }
  }

  private void check(final long iova, final long bytes) {
    if (iova < first || (iova & (alignment(bytes) - 1)) != 0 || iova > end - bytes) {
      throw new IllegalArgumentException(
          "range " + RemapShard.hex(iova) + " of " + bytes + " bytes is not of this space");
    }
  }
}
