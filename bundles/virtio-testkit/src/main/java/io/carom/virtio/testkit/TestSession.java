package io.carom.virtio.testkit;

import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import java.lang.foreign.MemorySegment;

/**
 * A session of a {@link TestBus}. A device that breaks the contract of sections gets an {@link
 * IllegalStateException}.
 */
final class TestSession implements BusSession {
  private final TestBus bus;
  private boolean inside;
  private boolean closed;

  TestSession(final TestBus bus) {
    this.bus = bus;
  }

  @Override
  public long begin() {
    if (inside || closed) {
      throw new IllegalStateException(inside ? "a section in a section" : "a closed session");
    }
    final long version = bus.version();
    if (version >= 0) {
      inside = true;
      bus.sections(1);
    }
    return version;
  }

  @Override
  public void end() {
    if (!inside) {
      throw new IllegalStateException("no section");
    }
    inside = false;
    bus.sections(-1);
  }

  @Override
  public MemorySegment resolve(final long address, final long length, final BusAccess access)
      throws BusFaultException {
    if (!inside) {
      throw new IllegalStateException("resolve outside of a section");
    }
    if (length < 1) {
      throw new IllegalArgumentException("length " + length);
    }
    if (bus.inOwnRegion(address, length)) {
      bus.count(address, length, access);
      return bus.region().asSlice(address - bus.regionBase(), length);
    }
    if (!inRam(address, length)) {
      throw refuse(
          address < 0 || address + length < 0
              ? Reason.OVERFLOW
              : bus.occupied(address) ? Reason.NOT_MEMORY : Reason.UNMAPPED,
          address,
          length);
    }
    if (!bus.masters()) {
      throw refuse(Reason.BUS_MASTER_OFF, address, length);
    }
    if (bus.together(address, length) < length || !inRam(bus.behind(address), length)) {
      throw refuse(Reason.TRANSLATION, address, length);
    }
    bus.count(address, length, access);
    return bus.memory().ram().asSlice(bus.behind(address), length);
  }

  /** By offset the region is reached wherever it is decoded, and whether it is. */
  @Override
  public void resolveOwn(
      final long offset, final long length, final BusAccess access, final BusRun into)
      throws BusFaultException {
    if (!inside) {
      throw new IllegalStateException("resolve outside of a section");
    }
    if (length < 1) {
      throw new IllegalArgumentException("length " + length);
    }
    if (!TestMemory.within(offset, length, 0, bus.regionBytes())) {
      throw refuse(Reason.UNMAPPED, offset, length);
    }
    bus.countOwn(offset, length, access);
    into.set(bus.region(), offset);
  }

  private BusFaultException refuse(final Reason reason, final long address, final long length) {
    bus.fault();
    return new BusFaultException(reason, address, length);
  }

  private boolean inRam(final long address, final long length) {
    return TestMemory.within(address, length, 0, bus.memory().ramBytes());
  }

  @Override
  public long contiguous(final long address, final long length, final BusAccess access) {
    return inRam(address, length) ? bus.together(address, length) : length;
  }

  @Override
  public boolean inOwnRegion(final long address, final long length) {
    return bus.inOwnRegion(address, length);
  }

  @Override
  public void touched(final long address) {
    bus.count(address, 1, BusAccess.READ);
  }

  @Override
  public void close() {
    if (inside) {
      end();
    }
    if (!closed) {
      closed = true;
      bus.sessionClosed();
    }
  }
}
