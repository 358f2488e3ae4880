package io.carom.strategies.kit;

import io.carom.dma.DmaDevice;
import io.carom.dma.DmaDeviceSpec;
import io.carom.dma.DmaDirection;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusSession;
import io.carom.pci.PortControl;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device from both sides: the driver's DMA operations, and the device's own accesses by bus
 * address, through a real port with its checks. Thread-safe: each thread has a session of its own.
 */
public final class Driven implements AutoCloseable {
  private final PortControl port;
  private final ThreadLocal<BusSession> sessions;
  private final ProofIommu iommu;
  private boolean closed;

  /** As it was described. */
  public final DmaDeviceSpec spec;

  /** The driver's side. */
  public final DmaDevice dma;

  Driven(final World world, final DmaDeviceSpec spec) {
    this.spec = spec;
    iommu = world.iommu;
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
    final byte[] bytes = new byte[size];
    final MemorySegment into = MemorySegment.ofArray(bytes);
    pieces(bus, size, (at, piece) -> into.asSlice(at, piece.byteSize()).copyFrom(piece));
    return bytes;
  }

  /** The device compares what it reads with what it should; the first difference, or -1. */
  public long mismatch(final long bus, final MemorySegment expected) {
    final long[] first = {-1};
    pieces(
        bus,
        expected.byteSize(),
        (at, piece) -> {
          final long here = piece.mismatch(expected.asSlice(at, piece.byteSize()));
          first[0] = first[0] < 0 && here >= 0 ? at + here : first[0];
        });
    return first[0];
  }

  /** The device writes. */
  public void write(final long bus, final MemorySegment bytes) {
    pieces(
        bus, bytes.byteSize(), (at, piece) -> piece.copyFrom(bytes.asSlice(at, piece.byteSize())));
  }

  @FunctionalInterface
  private interface Piece {
    void at(long offset, MemorySegment memory);
  }

  /**
   * Goes over what lies at a run of bus addresses, in one section. What an IOMMU lets the device
   * only read, or only write, is looked at and changed all the same: whether permissions hold is
   * for {@link ProofIommu#reach} to say.
   */
  private void pieces(final long bus, final long size, final Piece action) {
    final BusSession session = sessions.get();
    session.begin();
    try {
      long at = 0;
      while (at < size) {
        final BusAccess access =
            iommu.reach(name(), bus + at, false) >= 0 ? BusAccess.READ : BusAccess.WRITE;
        final long bytes = session.contiguous(bus + at, size - at, access);
        action.at(at, session.resolve(bus + at, bytes, access));
        at += bytes;
      }
    } catch (final BusFaultException e) {
      throw new AssertionError(name() + " cannot reach what was mapped", e);
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
