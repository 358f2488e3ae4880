package io.carom.strategies.kit;

import io.carom.iommu.GuestDomain;
import io.carom.iommu.GuestIommu;
import io.carom.iommu.IommuCounters;
import io.carom.iommu.IommuException;
import io.carom.iommu.IommuStatus;
import io.carom.iommu.ReservedRange;
import io.carom.machine.port.Ports;
import io.carom.pci.BusAccess;
import io.carom.pci.BusIommu;
import io.carom.pci.Translation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A driver and its IOMMU in one, before the machine's real ports: domains, whole mappings that are
 * unmapped whole, requests that a test may have refused, and each address that was ever mapped.
 *
 * <p>Requests go one after another, under one lock. Ports look translations up without it, inside
 * their sections; an unmap takes its mapping out and then waits for the sections that may have seen
 * it, as the contract of {@link GuestDomain#unmap} says.
 */
public final class ProofIommu implements GuestIommu, BusIommu {
  /** Bytes of a granule. */
  public static final long GRANULE = 4096;

  private static final int READ = 1;
  private static final int WRITE = 2;

  private final Ports ports;
  private final ReentrantLock requests = new ReentrantLock();
  private final Map<String, Domain> attached = new ConcurrentHashMap<>();
  private final ConcurrentSkipListSet<Long> seen = new ConcurrentSkipListSet<>();
  private final int[] asked = new int[Request.values().length];
  private final long[] failed = new long[Request.values().length];
  private final List<Domain> live = new CopyOnWriteArrayList<>();
  private final List<String> violations = new CopyOnWriteArrayList<>();
  private int domains;
  private long kicks;
  private long flushes;

  /** Whether an endpoint in no domain passes. Set it before devices are there. */
  public volatile boolean bypass = true;

  /** First address that can be mapped. */
  public volatile long first;

  /** Last address that can be mapped. */
  public volatile long last = (1L << 48) - 1;

  /** Which requests are refused. */
  public volatile Refusal refusal = (request, number) -> false;

  /** Kinds of requests. */
  public enum Request {
    /** ATTACH. */
    ATTACH,
    /** MAP. */
    MAP,
    /** UNMAP. */
    UNMAP
  }

  /** Says which requests are refused. */
  @FunctionalInterface
  public interface Refusal {
    /** Whether the n-th request of a kind, from 0, is. */
    boolean refuses(Request request, int number);
  }

  /** An IOMMU before the ports of a machine. */
  ProofIommu(final Ports ports) {
    this.ports = ports;
    ports.iommu(this);
  }

  /** A mapping: what it leads to, and for whom. */
  private record Mapping(long end, long physical, int flags) {}

  private record Queued(long iova, long bytes) {}

  /** A domain, which a test may look into. */
  public final class Domain implements GuestDomain, Translation {
    private final int id;
    private final UnmapFailures failures;
    private final NavigableMap<Long, Mapping> table = new ConcurrentSkipListMap<>();
    private final List<Queued> queue = new ArrayList<>();
    private boolean closed;

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
      requests.lock();
      try {
        kicks++;
        if (refused(Request.ATTACH)) {
          throw new IommuException("attach " + device, IommuStatus.NOENT);
        }
        attached.put(device, this);
        ports.translation(ProofIommu.this, device, this);
      } finally {
        requests.unlock();
      }
    }

    @Override
    public void detach(final String device) {
      requests.lock();
      try {
        kicks++;
        if (attached.remove(device, this)) {
          ports.translation(ProofIommu.this, device, translation(device));
        }
      } finally {
        requests.unlock();
      }
    }

    @Override
    public int map(final long iova, final long address, final long bytes, final int permissions) {
      return map(iova, new long[] {address}, new long[] {bytes}, 1, permissions);
    }

    @Override
    public int map(
        final long iova,
        final long[] addresses,
        final long[] lengths,
        final int pieces,
        final int permissions) {
      requests.lock();
      try {
        kicks++;
        drain();
        long at = iova;
        for (int i = 0; i < pieces; i++) {
          final int status = mapOne(at, addresses[i], lengths[i], permissions);
          if (status != IommuStatus.OK) {
            final long undone = at;
            table.subMap(iova, undone).clear();
            invalidate();
            return status;
          }
          at += lengths[i];
        }
        return IommuStatus.OK;
      } finally {
        requests.unlock();
      }
    }

    private int mapOne(final long iova, final long address, final long bytes, final int flags) {
      if (closed) {
        return IommuStatus.NOENT;
      }
      if (refused(Request.MAP)) {
        return IommuStatus.NOMEM;
      }
      if (((iova | address | bytes) & (GRANULE - 1)) != 0
          || bytes <= 0
          || iova < first
          || iova > last - (bytes - 1)) {
        return IommuStatus.RANGE;
      }
      final Map.Entry<Long, Mapping> before = table.lowerEntry(iova + bytes);
      if (before != null && before.getValue().end > iova) {
        violations.add(String.format("0x%x of domain %d is mapped twice", iova, id));
        return IommuStatus.INVAL;
      }
      for (long at = iova; at < iova + bytes && bytes <= 1 << 21; at += GRANULE) {
        seen.add(at);
      }
      table.put(iova, new Mapping(iova + bytes, address, flags));
      return IommuStatus.OK;
    }

    @Override
    public int unmap(final long iova, final long bytes) {
      requests.lock();
      try {
        kicks++;
        drain();
        final int status = unmapNow(iova, bytes);
        invalidate();
        return status;
      } finally {
        requests.unlock();
      }
    }

    private int unmapNow(final long iova, final long bytes) {
      if (refused(Request.UNMAP)) {
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
      requests.lock();
      try {
        queue.add(new Queued(iova, bytes));
      } finally {
        requests.unlock();
      }
    }

    @Override
    public void flush() {
      requests.lock();
      try {
        kicks++;
        flushes++;
        drain();
      } finally {
        requests.unlock();
      }
    }

    private void drain() {
      if (queue.isEmpty()) {
        return;
      }
      for (final Queued unmap : queue) {
        final int status = unmapNow(unmap.iova, unmap.bytes);
        if (status != IommuStatus.OK) {
          failures.failed(unmap.iova, unmap.bytes, status);
        }
      }
      queue.clear();
      invalidate();
    }

    private void invalidate() {
      attached.forEach(
          (device, domain) -> {
            if (domain == this) {
              ports.invalidated(device);
            }
          });
    }

    @Override
    public boolean alive() {
      return true;
    }

    @Override
    public void close() {
      requests.lock();
      try {
        closed = true;
        live.remove(this);
        table.clear();
        queue.clear();
        for (final String device : List.copyOf(attached.keySet())) {
          detach(device);
        }
      } finally {
        requests.unlock();
      }
    }

    @Override
    public long translate(final long address, final long length, final BusAccess access) {
      final long behind = at(address, access == BusAccess.WRITE ? WRITE : READ);
      return behind >= 0 && contiguous(address, length, access) == length ? behind : FAULT;
    }

    @Override
    public long contiguous(final long address, final long length, final BusAccess access) {
      final int needed = access == BusAccess.WRITE ? WRITE : READ;
      final long behind = at(address, needed);
      long bytes = Math.min(length, GRANULE - (address & (GRANULE - 1)));
      while (bytes < length && behind >= 0 && at(address + bytes, needed) == behind + bytes) {
        bytes = Math.min(length, bytes + GRANULE);
      }
      return bytes;
    }

    /** Where an access gets to, or -1. */
    private long at(final long address, final int needed) {
      final Map.Entry<Long, Mapping> entry = table.floorEntry(address);
      return entry == null
              || entry.getValue().end <= address
              || (entry.getValue().flags & needed) == 0
          ? -1
          : entry.getValue().physical + (address - entry.getKey());
    }

    /** Number of mappings. */
    public int mappings() {
      return table.size();
    }

    /** Bytes mapped. */
    public long bytes() {
      long sum = 0;
      for (final Map.Entry<Long, Mapping> entry : table.entrySet()) {
        sum += entry.getValue().end - entry.getKey();
      }
      return sum;
    }

    /** Bytes of the mapping that begins at an address, or 0. */
    public long bytesAt(final long iova) {
      final Mapping mapping = table.get(iova);
      return mapping == null ? 0 : mapping.end - iova;
    }
  }

  /** Domains that are not closed. */
  public List<Domain> domains() {
    return List.copyOf(live);
  }

  /** What went wrong behind the core's back; empty unless it is wrong. */
  public List<String> violations() {
    return violations;
  }

  /**
   * Notes a violation where pages go back that an address of a domain leads to. What is mapped one
   * to one is not looked at: while a device does without an IOMMU strategy that is all of RAM.
   */
  void freed(final long bus, final long bytes) {
    for (final Domain domain : live) {
      domain.table.forEach(
          (iova, mapping) -> {
            final long end = mapping.physical + (mapping.end - iova);
            if (iova != mapping.physical && mapping.physical < bus + bytes && end > bus) {
              violations.add(
                  String.format(
                      "pages at 0x%x go back, and 0x%x of domain %d leads there",
                      bus, iova, domain.id));
            }
          });
    }
  }

  private boolean refused(final Request request) {
    final boolean refused = refusal.refuses(request, asked[request.ordinal()]++);
    failed[request.ordinal()] += refused ? 1 : 0;
    return refused;
  }

  /** Refuses by a rule, counting requests anew. */
  public void refuse(final Refusal rule) {
    requests.lock();
    try {
      Arrays.fill(asked, 0);
      Arrays.fill(failed, 0);
      refusal = rule;
    } finally {
      requests.unlock();
    }
  }

  /** Requests of a kind that were refused since the rule was set. */
  public long refusals(final Request request) {
    requests.lock();
    try {
      return failed[request.ordinal()];
    } finally {
      requests.unlock();
    }
  }

  /** Requests of a kind so far, since the last rule. */
  public int asked(final Request request) {
    requests.lock();
    try {
      return asked[request.ordinal()];
    } finally {
      requests.unlock();
    }
  }

  /** The domain of a device, or null. */
  public @Nullable Domain of(final String device) {
    return attached.get(device);
  }

  /** All addresses of granules that were ever mapped, in any domain. */
  public ConcurrentSkipListSet<Long> seen() {
    return seen;
  }

  /**
   * Where a device's access gets to, or -1.
   *
   * @param write whether it writes
   */
  public long reach(final String device, final long bus, final boolean write) {
    final Domain domain = attached.get(device);
    return domain == null ? (bypass ? bus : -1) : domain.at(bus, write ? WRITE : READ);
  }

  @Override
  public @Nullable Translation translation(final String port) {
    final Domain domain = attached.get(port);
    return domain != null || bypass ? domain : (address, length, access) -> Translation.FAULT;
  }

  @Override
  public long granule() {
    return GRANULE;
  }

  @Override
  public long inputStart() {
    return first;
  }

  @Override
  public long inputEnd() {
    return last;
  }

  @Override
  public boolean bypass() {
    return bypass;
  }

  @Override
  public boolean serves(final String device) {
    return !device.startsWith("beside");
  }

  @Override
  public List<ReservedRange> reserved(final String device) {
    return List.of(new ReservedRange(0xfee0_0000L, 0xfeef_ffffL, true));
  }

  @Override
  public GuestDomain createDomain(final UnmapFailures failures) {
    requests.lock();
    try {
      final Domain made = new Domain(++domains, failures);
      live.add(made);
      return made;
    } finally {
      requests.unlock();
    }
  }

  @Override
  public IommuCounters counters() {
    requests.lock();
    try {
      return new IommuCounters(
          asked[0],
          0,
          asked[1],
          asked[2],
          0,
          failed[0] + failed[1] + failed[2],
          kicks,
          flushes,
          0,
          0);
    } finally {
      requests.unlock();
    }
  }

  @Override
  public boolean batched() {
    return true;
  }
}
