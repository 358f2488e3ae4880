package io.carom.virtio.device.kit;

import io.carom.memory.LazyMemory;
import io.carom.pci.BusAccess;
import io.carom.pci.BusFaultException;
import io.carom.pci.BusFaultException.Reason;
import io.carom.pci.BusPort;
import io.carom.pci.BusRun;
import io.carom.pci.BusSession;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PortCounters;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;

/**
 * A bus with RAM from address 0, one function's own region, and its registers, which are no memory.
 * Counts what the device touches, and keeps the interrupts it sends.
 */
public final class FakeBus implements PciAttachment, BusPort {
  public static final long RAM_BYTES = 4 << 20;
  public static final long PAGE = 4096;
  public static final long REGION_BASE = 0x80_0000_0000L;
  public static final long REGISTERS_BASE = 0x80_4000_0000L;
  private static final long REGISTERS_BYTES = 0x4000;

  public final MemorySegment ram = LazyMemory.allocate(RAM_BYTES);
  public final MemorySegment region;
  public final AtomicLong regionAccesses = new AtomicLong();
  public final AtomicLong ramAccesses = new AtomicLong();
  public final AtomicLong faults = new AtomicLong();
  public final AtomicInteger openSections = new AtomicInteger();
  public final List<Integer> messages = Collections.synchronizedList(new ArrayList<>());
  public volatile boolean msix;
  public volatile boolean busMaster = true;
  public volatile boolean line;
  public volatile long version = 1;
  public volatile boolean revoked;
  public volatile int vectors;

  /** How often {@link #forgetPending} was called. */
  public final AtomicInteger forgotten = new AtomicInteger();

  /** Answers of {@link #translated}, in order. */
  public final List<Boolean> translated = Collections.synchronizedList(new ArrayList<>());

  /** Where the region is decoded, or -1. */
  public volatile long regionBase = REGION_BASE;

  /** What the machine says of pages that are shared for the function. */
  public volatile long unprotectedPages;

  /** Run after a vector was raised, on the thread that raised it. */
  public volatile Runnable onRaise = () -> {};

  /** The page of RAM behind each page of bus addresses: an IOMMU; identity by default. */
  public volatile LongUnaryOperator pages = page -> page;

  /** Run before each thing that a session does; what it throws, the session does. */
  public volatile Runnable step = () -> {};

  /** Whether an access of the function before has not ended. */
  public volatile boolean overran;

  /** How often a function said that it goes for good. */
  public final AtomicInteger leavings = new AtomicInteger();

  private volatile int epoch;

  /** Longest piece that the IOMMU calls contiguous. */
  public volatile long longestPiece = Long.MAX_VALUE;

  public FakeBus(final long regionBytes) {
    region = LazyMemory.allocate(Math.max(1, regionBytes));
  }

  /** The way to memory has changed: a device is to find its rings again. */
  public void rerouted() {
    final long before = version; // of one thread
    version = before + 1;
  }

  /** The port is revoked, and another function gets it: sessions of before stay revoked. */
  public void renew() {
    final int before = epoch; // of one thread
    epoch = before + 1;
    revoked = false;
  }

  public MemorySegment memory(final long address) {
    return address >= REGION_BASE ? region : ram;
  }

  /** Where a bus address of RAM is behind the IOMMU. */
  public long behind(final long address) {
    return pages.applyAsLong(address / PAGE) * PAGE + address % PAGE;
  }

  public long offset(final long address) {
    return address >= REGION_BASE ? address - REGION_BASE : address;
  }

  @Override
  public PciAddress address() {
    return new PciAddress(0, 4, 0);
  }

  @Override
  public BusPort port() {
    return this;
  }

  @Override
  public void translated(final boolean on) {
    translated.add(on);
  }

  @Override
  public boolean overran() {
    return overran;
  }

  @Override
  public void leaving() {
    leavings.incrementAndGet();
  }

  @Override
  public boolean msixEnabled() {
    return msix;
  }

  @Override
  public int vectors() {
    return vectors;
  }

  @Override
  public void raise(final int vector) {
    messages.add(vector);
    onRaise.run();
  }

  @Override
  public void forgetPending() {
    forgotten.incrementAndGet();
  }

  @Override
  public void intx(final boolean asserted) {
    line = asserted;
  }

  @Override
  public long barAddress(final int index) {
    return index == 2 ? regionBase : -1;
  }

  @Override
  public long ownRangeAddress() {
    return regionBase;
  }

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public BusSession open() {
    return new Session();
  }

  @Override
  public long unprotectedPages() {
    return unprotectedPages;
  }

  @Override
  public PortCounters counters() {
    return new PortCounters(regionAccesses.get(), ramAccesses.get(), faults.get(), messages.size());
  }

  @Override
  public boolean message(final long address, final int data) {
    throw new UnsupportedOperationException("the device goes through raise");
  }

  private final class Session implements BusSession {
    private final BusRun slice = new BusRun();
    private final int opened = epoch;
    private boolean inside;

    @Override
    public long begin() {
      step.run();
      if (inside) {
        throw new IllegalStateException("a section in a section");
      }
      if (revoked || opened != epoch) {
        return -1;
      }
      inside = true;
      openSections.incrementAndGet();
      return version;
    }

    @Override
    public void end() {
      if (!inside) {
        throw new IllegalStateException("no section");
      }
      inside = false;
      openSections.decrementAndGet();
    }

    @Override
    public MemorySegment resolve(final long address, final long length, final BusAccess access)
        throws BusFaultException {
      resolve(address, length, access, slice);
      return slice.memory().asSlice(slice.offset(), length);
    }

    @Override
    public void resolve(
        final long address, final long length, final BusAccess access, final BusRun into)
        throws BusFaultException {
      step.run();
      if (!inside) {
        throw new IllegalStateException("resolve outside of a section");
      }
      if (length < 1) {
        throw new IllegalArgumentException("length " + length);
      }
      if (revoked || opened != epoch) { // in the midst of a section, as the machine does it
        faults.incrementAndGet();
        throw new BusFaultException(Reason.REVOKED, address, length);
      }
      if (inOwnRegion(address, length)) {
        regionAccesses.incrementAndGet();
        into.set(region, address - regionBase);
        return;
      }
      if (!within(address, length, 0, RAM_BYTES)) {
        faults.incrementAndGet();
        throw new BusFaultException(
            within(address, length, REGISTERS_BASE, REGISTERS_BYTES)
                ? Reason.NOT_MEMORY
                : Reason.UNMAPPED,
            address,
            length);
      }
      if (!busMaster) {
        faults.incrementAndGet();
        throw new BusFaultException(Reason.BUS_MASTER_OFF, address, length);
      }
      if (contiguous(address, length, access) < length) {
        faults.incrementAndGet();
        throw new BusFaultException(Reason.TRANSLATION, address, length);
      }
      ramAccesses.incrementAndGet();
      into.set(ram, behind(address));
    }

    @Override
    public long contiguous(final long address, final long length, final BusAccess access) {
      if (!within(address, length, 0, RAM_BYTES)) {
        return length;
      }
      long together = Math.min(length, PAGE - address % PAGE);
      while (together < length && behind(address + together) == behind(address) + together) {
        together = Math.min(length, together + PAGE);
      }
      return Math.min(together, longestPiece);
    }

    @Override
    public void resolveOwn(
        final long offset, final long length, final BusAccess access, final BusRun into)
        throws BusFaultException {
      if (!inside) {
        throw new IllegalStateException("resolve outside of a section");
      }
      if (!within(offset, length, 0, region.byteSize())) {
        faults.incrementAndGet();
        throw new BusFaultException(Reason.NOT_MEMORY, offset, length);
      }
      regionAccesses.incrementAndGet();
      into.set(region, offset);
    }

    @Override
    public long ownBase() {
      return regionBase;
    }

    @Override
    public boolean inOwnRegion(final long address, final long length) {
      return regionBase >= 0 && within(address, length, regionBase, region.byteSize());
    }

    private static boolean within(
        final long address, final long length, final long base, final long size) {
      return address >= base && length <= size && address - base <= size - length;
    }

    @Override
    public void settled() {
      step.run();
    }

    @Override
    public void touched(final long address) {
      step.run();
      (inOwnRegion(address, 1) ? regionAccesses : ramAccesses).incrementAndGet();
    }

    @Override
    public void close() {
      if (inside) {
        end();
      }
    }
  }
}
