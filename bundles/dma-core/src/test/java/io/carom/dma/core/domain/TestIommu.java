package io.carom.dma.core.domain;

import io.carom.dma.core.TestGuest;
import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.iommu.VirtioIommuDescriptor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A driver and its IOMMU in one: domains, whole mappings that are unmapped whole, requests that a
 * test may have refused, and a device's way to memory through them.
 */
public final class TestIommu implements GuestIommu {
  /** Accesses that found no mapping, or not with that permission. */
  public long faults;

  /** Whether unattached devices pass. */
  public volatile boolean bypass = true;

  /** First address that can be mapped. */
  public volatile long inputStart;

  /** Whether it does not answer any more. */
  public volatile boolean dead;

  /** Whether it was asked since. */
  public volatile boolean askedDead;

  /** Says of the n-th MAP or UNMAP, from 0, whether it is refused. */
  public volatile IntPredicate refuses = n -> false;

  private final TestGuest guest;
  private final ReentrantLock lock = new ReentrantLock(); // the request queue's
  private final Map<String, Domain> attached = new HashMap<>();
  private int requests;
  private int nextId = 1;
  private long maps;
  private long unmaps;
  private long kicks;
  private long flushes;

  /** An IOMMU before a guest's memory. */
  public TestIommu(final TestGuest guest) {
    this.guest = guest;
  }

  /** A mapping. */
  private record Mapping(long end, long physical, int flags) {}

  private record Queued(long iova, long bytes) {}

  /** A domain, which a test may look into. */
  public final class Domain implements GuestDomain {
    private final int id;
    private final UnmapFailures failures;
    private final TreeMap<Long, Mapping> table = new TreeMap<>();
    private final List<Queued> queue = new ArrayList<>();

    private Domain(final int id, final UnmapFailures failures) {
      this.id = id;
      this.failures = failures;
    }

    @Override
    public int id() {
      return id;
    }

    @Override
    public void attach(final String device) throws IommuException {
      lock.lock();
      try {
        if (refused()) {
          throw new IommuException("attach " + device, IommuStatus.NOENT);
        }
        kicks++;
        attached.put(device, this);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void detach(final String device) {
      lock.lock();
      try {
        attached.remove(device, this);
      } finally {
        lock.unlock();
      }
    }

    @Override
    public int map(
        final long iova,
        final long[] addresses,
        final long[] lengths,
        final int pieces,
        final int permissions) {
      lock.lock();
      try {
        kicks++;
        drain();
        long at = iova;
        for (int i = 0; i < pieces; i++) {
          final int status = mapOne(at, addresses[i], lengths[i], permissions);
          if (status != IommuStatus.OK) {
            for (long back = iova; back < at; back = table.remove(back).end) {
              unmaps++;
            }
            return status;
          }
          at += lengths[i];
        }
        return IommuStatus.OK;
      } finally {
        lock.unlock();
      }
    }

    private int mapOne(final long iova, final long address, final long bytes, final int flags) {
      maps++;
      if (refused()) {
        return IommuStatus.NOMEM;
      }
      if (((iova | address | bytes) & 4095) != 0 || iova < inputStart) {
        return IommuStatus.RANGE;
      }
      final Map.Entry<Long, Mapping> before = table.lowerEntry(iova + bytes);
      if (before != null && before.getValue().end > iova) {
        return IommuStatus.INVAL;
      }
      table.put(iova, new Mapping(iova + bytes, address, flags));
      return IommuStatus.OK;
    }

    @Override
    public int map(final long iova, final long address, final long bytes, final int permissions) {
      return map(iova, new long[] {address}, new long[] {bytes}, 1, permissions);
    }

    @Override
    public int unmap(final long iova, final long bytes) {
      lock.lock();
      try {
        kicks++;
        drain();
        return unmapNow(iova, bytes);
      } finally {
        lock.unlock();
      }
    }

    private int unmapNow(final long iova, final long bytes) {
      unmaps++;
      if (refused()) {
        return IommuStatus.DEVERR;
      }
      final var inside = table.subMap(iova, iova + bytes);
      final Map.Entry<Long, Mapping> before = table.lowerEntry(iova);
      if ((before != null && before.getValue().end > iova)
          || (!inside.isEmpty() && inside.lastEntry().getValue().end > iova + bytes)) {
        return IommuStatus.RANGE;
      }
      inside.clear();
      return IommuStatus.OK;
    }

    @Override
    public void queueUnmap(final long iova, final long bytes) {
      lock.lock();
      try {
        queue.add(new Queued(iova, bytes));
      } finally {
        lock.unlock();
      }
    }

    @Override
    public void flush() {
      lock.lock();
      try {
        kicks++;
        flushes++;
        drain();
      } finally {
        lock.unlock();
      }
    }

    private void drain() {
      for (final Queued unmap : queue) {
        final int status = unmapNow(unmap.iova, unmap.bytes);
        if (status != IommuStatus.OK) {
          failures.failed(unmap.iova, unmap.bytes, status);
        }
      }
      queue.clear();
    }

    @Override
    public boolean alive() {
      return true;
    }

    @Override
    public void close() {
      lock.lock();
      try {
        table.clear();
        attached.values().removeIf(d -> d == this);
      } finally {
        lock.unlock();
      }
    }

    /** Number of mappings. */
    public int mappings() {
      lock.lock();
      try {
        return table.size();
      } finally {
        lock.unlock();
      }
    }
  }

  private boolean refused() {
    return refuses.test(requests++);
  }

  /** Starts counting requests for {@link #refuses} anew. */
  public void restart() {
    requests = 0;
  }

  /** The domain of a device, or null. */
  public @Nullable Domain of(final String device) {
    lock.lock();
    try {
      return attached.get(device);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Where a device gets to, or -1 for a fault.
   *
   * @param write whether it writes
   */
  public long translate(final String device, final long bus, final boolean write) {
    lock.lock();
    try {
      final Domain domain = attached.get(device);
      if (domain == null) {
        if (bypass) {
          return bus;
        }
        faults++;
        return -1;
      }
      final Map.Entry<Long, Mapping> entry = domain.table.floorEntry(bus);
      final int needed =
          write ? VirtioIommuDescriptor.MAP_F_WRITE : VirtioIommuDescriptor.MAP_F_READ;
      if (entry == null || entry.getValue().end <= bus || (entry.getValue().flags & needed) == 0) {
        faults++;
        return -1;
      }
      return entry.getValue().physical + (bus - entry.getKey());
    } finally {
      lock.unlock();
    }
  }

  /** A byte as a device reads it, or -1 for a fault. */
  public int read(final String device, final long bus) {
    final long address = translate(device, bus, false);
    return address < 0
        ? -1
        : guest.platform().uncached().get(ValueLayout.JAVA_BYTE, guest.offset(address)) & 0xff;
  }

  /** Writes a byte as a device; false for a fault. */
  public boolean write(final String device, final long bus, final int value) {
    final long address = translate(device, bus, true);
    if (address < 0) {
      return false;
    }
    guest.platform().uncached().set(ValueLayout.JAVA_BYTE, guest.offset(address), (byte) value);
    return true;
  }

  @Override
  public long granule() {
    return 4096;
  }

  @Override
  public long inputStart() {
    return inputStart;
  }

  @Override
  public long inputEnd() {
    return (1L << 48) - 1;
  }

  @Override
  public boolean bypass() {
    return bypass;
  }

  @Override
  public boolean serves(final String device) {
    return true;
  }

  @Override
  public List<ReservedRange> reserved(final String device) throws IommuException {
    if (dead) {
      askedDead = true;
      throw new IommuException("probe " + device, IommuStatus.DEVERR);
    }
    return List.of(new ReservedRange(0xfee0_0000L, 0xfeef_ffffL, true));
  }

  @Override
  public GuestDomain createDomain(final UnmapFailures failures) {
    lock.lock();
    try {
      return new Domain(nextId++, failures);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public IommuCounters counters() {
    lock.lock();
    try {
      return new IommuCounters(0, 0, maps, unmaps, 0, 0, kicks, flushes, 0, 0);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public boolean batched() {
    return true;
  }
}
