package io.carom.dma.core.debug;

import io.carom.pci.BusAccess;
import io.carom.pci.BusIommu;
import io.carom.pci.BusPorts;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import io.carom.pci.PortWatch;
import io.carom.pci.Translation;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Ports that a test speaks for; there is one for each PCI address that is asked for. */
final class TestPorts implements BusPorts {
  private final Map<String, PortWatch> watches = new HashMap<>();
  private final BusSession session = new Session();

  @Override
  public PortControl create(final String name) {
    throw new UnsupportedOperationException();
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
  public synchronized boolean watch(final String name, final @Nullable PortWatch watch) {
    if (name.startsWith("0000:")) {
      return false; // ports are named without domain
    }
    if (watch == null) {
      watches.remove(name);
    } else {
      watches.put(name, watch);
    }
    return true;
  }

  private synchronized @Nullable PortWatch of(final String name) {
    return watches.get(name);
  }

  boolean watched(final String name) {
    return of(name) != null;
  }

  void access(final String name, final long bus, final long size, final BusAccess access) {
    access(name, session, bus, size, access);
  }

  void access(
      final String name,
      final BusSession by,
      final long bus,
      final long size,
      final BusAccess access) {
    final PortWatch watch = of(name);
    if (watch != null) {
      watch.access(by, bus, size, access);
    }
  }

  void settle(final String name) {
    settle(name, session);
  }

  void settle(final String name, final BusSession by) {
    final PortWatch watch = of(name);
    if (watch != null) {
      watch.settled(by);
    }
  }

  /** A session that is only somebody. */
  static final class Session implements BusSession {
    @Override
    public long begin() {
      return 1;
    }

    @Override
    public void end() {}

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access) {
      throw new UnsupportedOperationException();
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return false;
    }

    @Override
    public void touched(final long address) {}

    @Override
    public void close() {}
  }
}
