package io.carom.strategies.kit;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device from both sides: the driver's DMA operations, and the device's own accesses by bus
 * address, through a real port with its checks. Thread-safe: each thread has a session of its own.
 */
public final class Driven implements AutoCloseable {
  private final PortControl port;
  private final ThreadLocal<BusSession> sessions;
  private boolean closed;

  /** As it was described. */
  public final DmaDeviceSpec spec;

  /** The driver's side. */
  public final DmaDevice dma;

  Driven(final World world, final DmaDeviceSpec spec) {
    this.spec = spec;
    port = world.guest.ports.create(spec.name());
    port.busMaster(true);
    final DmaDeviceSpec.Region region = spec.region();
    if (region != null) {
      port.ownRegion(region.busAddress(), region.memory());
    }
    sessions = ThreadLocal.withInitial(port.port()::open);
    dma = world.core.attach(spec);
  }

  /** Its name. */
  public String name() {
    return spec.name();
  }

  /** Maps without attributes. */
  public long map(final long address, final long size, final DmaDirection direction) {
    return dma.map(address, size, direction, 0);
  }

  /**
   * Maps; tries again when that fails, as drivers do: a strategy may have to give memory back that
   * it keeps for another size. Fails the test when it fails for long.
   */
  public long mapped(final long address, final long size, final DmaDirection direction) {
    final AtomicLong bus = new AtomicLong();
    World.await(
        () -> {
          bus.set(map(address, size, direction));
          return bus.get() != DmaDevice.MAPPING_ERROR;
        },
        spec.name() + ": a mapping of " + size + " bytes at 0x" + Long.toHexString(address));
    return bus.get();
  }

  /** Unmaps without attributes. */
  public void unmap(final long bus, final long size, final DmaDirection direction) {
    dma.unmap(bus, size, direction, 0);
  }

  /** The device reads: what it gets. */
  public byte[] read(final long bus, final int size) {
    final BusSession session = sessions.get();
    session.begin();
    try {
      return session.resolve(bus, size, BusAccess.READ).toArray(ValueLayout.JAVA_BYTE);
    } catch (final BusFaultException e) {
      throw new AssertionError(spec.name() + " cannot read what was mapped", e);
    } finally {
      session.end();
    }
  }

  /** The device compares what it reads with what it should; the first difference, or -1. */
  public long mismatch(final long bus, final MemorySegment expected) {
    final BusSession session = sessions.get();
    session.begin();
    try {
      return session.resolve(bus, expected.byteSize(), BusAccess.READ).mismatch(expected);
    } catch (final BusFaultException e) {
      throw new AssertionError(spec.name() + " cannot read what was mapped", e);
    } finally {
      session.end();
    }
  }

  /** The device writes. */
  public void write(final long bus, final MemorySegment bytes) {
    final BusSession session = sessions.get();
    session.begin();
    try {
      session.resolve(bus, bytes.byteSize(), BusAccess.WRITE).copyFrom(bytes);
    } catch (final BusFaultException e) {
      throw new AssertionError(spec.name() + " cannot write what was mapped", e);
    } finally {
      session.end();
    }
  }

  /** The device writes one value to so many bytes. */
  public void write(final long bus, final int size, final int value) {
    final byte[] bytes = new byte[size];
    Arrays.fill(bytes, (byte) value);
    write(bus, MemorySegment.ofArray(bytes));
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      dma.close();
      port.close();
    }
  }
}
