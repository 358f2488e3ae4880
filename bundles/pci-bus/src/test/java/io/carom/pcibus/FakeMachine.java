package io.carom.pcibus;

import io.carom.memory.AddressMap;
import io.carom.memory.MmioHandler;
import io.carom.pci.BusAccess;
import io.carom.pci.BusIommu;
import io.carom.pci.BusPort;
import io.carom.pci.BusPorts;
import io.carom.pci.BusSession;
import io.carom.pci.InterruptSink;
import io.carom.pci.MsiController;
import io.carom.pci.PciAddress;
import io.carom.pci.PortControl;
import io.carom.pci.PortCounters;
import io.carom.pci.PortWatch;
import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What the bus needs of a machine, in a form that a test can look into. */
public final class FakeMachine implements AddressMap, BusPorts, MsiController {
  /** One entry of the address map. */
  public record Entry(
      String name,
      long base,
      long size,
      @Nullable MmioHandler handler,
      @Nullable MemorySegment memory) {}

  /** The map, by base. */
  public final TreeMap<Long, Entry> entries = new TreeMap<>();

  /** Open ports, by name. */
  public final Map<String, FakePort> ports = new ConcurrentHashMap<>();

  /** Everything that was delivered, in order. */
  public final List<String> interrupts = new CopyOnWriteArrayList<>();

  @Override
  public Mapping registers(
      final String name, final long base, final long size, final MmioHandler handler) {
    return add(new Entry(name, base, size, handler, null));
  }

  @Override
  public Mapping memory(final String name, final long base, final MemorySegment memory) {
    return add(new Entry(name, base, memory.byteSize(), null, memory));
  }

  private synchronized Mapping add(final Entry entry) {
    for (final Entry other : entries.values()) {
      if (entry.base() < other.base() + other.size()
          && other.base() < entry.base() + entry.size()) {
        throw new IllegalArgumentException(entry.name() + " overlaps " + other.name());
      }
    }
    entries.put(entry.base(), entry);
    return () -> {
      synchronized (this) {
        entries.remove(entry.base(), entry);
      }
    };
  }

  /** Loads from the map. */
  public long read(final long address, final int width) {
    final Entry entry = at(address);
    if (entry == null) {
      return -1L >>> (64 - 8 * width);
    }
    return handler(entry).read(address - entry.base(), width) & -1L >>> (64 - 8 * width);
  }

  /** Stores to the map. */
  public void write(final long address, final int width, final long value) {
    final Entry entry = at(address);
    if (entry != null) {
      handler(entry).write(address - entry.base(), width, value & -1L >>> (64 - 8 * width));
    }
  }

  private static MmioHandler handler(final Entry entry) {
    final MmioHandler handler = entry.handler();
    if (handler == null) {
      throw new AssertionError(entry.name() + " is memory");
    }
    return handler;
  }

  private synchronized @Nullable Entry at(final long address) {
    final Map.Entry<Long, Entry> found = entries.floorEntry(address);
    return found == null || address - found.getKey() >= found.getValue().size()
        ? null
        : found.getValue();
  }

  @Override
  public boolean iommu(final @Nullable BusIommu iommu) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean away(final BusIommu iommu) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean translation(
      final BusIommu iommu, final String name, final @Nullable Translation translation) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean invalidated(final String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean watch(final String name, final @Nullable PortWatch watch) {
    return false; // nobody watches a fake
  }

  @Override
  public PortControl create(final String name) {
    final FakePort port = new FakePort(name);
    if (ports.putIfAbsent(name, port) != null) {
      throw new IllegalStateException("port " + name + " is open already");
    }
    return port;
  }

  @Override
  public void message(final long address, final int data) {
    interrupts.add("message " + Long.toHexString(address) + " " + data);
  }

  @Override
  public void line(final PciAddress source, final int pin, final boolean asserted) {
    interrupts.add("line " + source + " " + pin + " " + asserted);
  }

  @Override
  public void sink(final @Nullable InterruptSink sink) {
    throw new AssertionError("the bus sets no sink");
  }

  /** A port that writes down what it is told. */
  public final class FakePort implements PortControl, BusPort {
    /** Calls, in order. */
    public final List<String> calls = new ArrayList<>();

    /** Memory of the function's own range. */
    public volatile @Nullable MemorySegment ownMemory;

    /** Whether a section outlives every wait. */
    public volatile boolean overrun;

    /** Faults to be shown. */
    public final AtomicLong faults = new AtomicLong();

    private final String name;
    private volatile boolean master;
    private volatile boolean revoked;

    private FakePort(final String name) {
      this.name = name;
    }

    @Override
    public BusPort port() {
      return this;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public synchronized BusSession open() {
      calls.add("open");
      return new FakeSession();
    }

    @Override
    public PortCounters counters() {
      return new PortCounters(1, 2, faults.get(), 4);
    }

    @Override
    public boolean message(final long address, final int data) {
      if (!master || revoked) {
        return false;
      }
      FakeMachine.this.message(address, data);
      return true;
    }

    @Override
    public synchronized boolean busMaster(final boolean on) {
      calls.add("master " + on);
      master = on;
      return true;
    }

    @Override
    public synchronized boolean ownRegion(final long base, final @Nullable MemorySegment memory) {
      calls.add(memory == null ? "own none" : "own " + Long.toHexString(base));
      return true;
    }

    @Override
    public boolean ownMemory(final MemorySegment memory) {
      ownMemory = memory;
      return true;
    }

    @Override
    public boolean translation(final @Nullable Translation translation) {
      throw new AssertionError("translations are the IOMMU's");
    }

    @Override
    public synchronized boolean translated(final boolean on) {
      calls.add("translated " + on);
      return true;
    }

    @Override
    public boolean quiesce(final Duration timeout) {
      return !overrun;
    }

    @Override
    public synchronized boolean revoke(final Duration timeout) {
      calls.add("revoke");
      revoked = true;
      return !overrun;
    }

    @Override
    public synchronized void renew() {
      calls.add("renew");
      revoked = false;
    }

    @Override
    public synchronized void close() {
      calls.add("close");
      revoked = true;
      ports.remove(name, this);
    }
  }

  /** A session of a live port; tests tell it from a dead one by its sections. */
  private static final class FakeSession implements BusSession {
    @Override
    public long begin() {
      return 1;
    }

    @Override
    public void end() {
      // nothing is touched
    }

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access) {
      throw new AssertionError("nothing to reach");
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return false;
    }

    @Override
    public void touched(final long address) {
      // not counted
    }

    @Override
    public void close() {
      // nothing is open
    }
  }
}
