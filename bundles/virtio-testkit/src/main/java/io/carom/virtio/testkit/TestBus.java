package io.carom.virtio.testkit;

import io.carom.memory.LazyMemory;
import io.carom.pci.BusAccess;
import io.carom.pci.BusPort;
import io.carom.pci.BusSession;
import io.carom.pci.PciAddress;
import io.carom.pci.PciAttachment;
import io.carom.pci.PortCounters;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The bus as one function sees it: a way to memory, message-signalled interrupts, and a line.
 *
 * <pre>
 *  0x00_0000_0000  RAM                              shared by all functions of a test
 *  0x80_0000_0000  region of function 0             a 4 GiB window for each function's own
 *  0x80_4000_0000  registers of function 0          no memory: a device that goes there is refused
 *  0x81_0000_0000  region of the first neighbour
 *  ...
 * </pre>
 *
 * <p>Counts what the device touches, keeps the interrupts it sends, and refuses whatever is neither
 * RAM nor the function's own region. Everything that a guest or a host may change under a device
 * can be changed here at any time. Thread-safe.
 */
public final class TestBus implements PciAttachment, BusPort {
  /** Bytes of RAM unless it is said otherwise. */
  public static final long RAM_BYTES = 4 << 20;

  private static final long FIRST_WINDOW = 0x80_0000_0000L;
  private static final long WINDOW_BYTES = 1L << 32;
  private static final long REGISTERS = 0x4000_0000L;
  private static final long REGISTERS_BYTES = 0x4000;
  private static final int REGION_BAR = 2;
  private static final int FIRST_SLOT = 4;

  private final TestMemory memory;
  private final AtomicInteger functions;
  private final int number;
  private final @Nullable MemorySegment region;
  private final AtomicLong regionAccesses = new AtomicLong();
  private final AtomicLong ramAccesses = new AtomicLong();
  private final AtomicLong faults = new AtomicLong();
  private final AtomicLong watched = new AtomicLong();
  private final AtomicInteger openSections = new AtomicInteger();
  private final AtomicInteger openSessions = new AtomicInteger();
  private final List<Integer> messages = new CopyOnWriteArrayList<>();
  private final List<Boolean> translated = new CopyOnWriteArrayList<>();
  private volatile boolean msix = true;
  private volatile boolean busMaster = true;
  private volatile boolean line;
  private volatile boolean revoked;
  private final AtomicLong version = new AtomicLong(1);
  private volatile int vectors;
  private volatile long longestPiece = Long.MAX_VALUE;
  private volatile boolean decoded = true;
  private volatile LongUnaryOperator pages = page -> page;
  private volatile Runnable onRaise = () -> {};
  private volatile BusWatch watch = (count, address, length, access) -> {};

  /**
   * A bus with {@value #RAM_BYTES} bytes of RAM.
   *
   * @param regionBytes of the function's own region; 0 for none
   */
  public TestBus(final long regionBytes) {
    this(RAM_BYTES, regionBytes);
  }

  /** A bus with this much RAM. */
  public TestBus(final long ramBytes, final long regionBytes) {
    this(new TestMemory(ramBytes), new AtomicInteger(), regionBytes);
  }

  private TestBus(final TestMemory memory, final AtomicInteger functions, final long regionBytes) {
    this.memory = memory;
    this.functions = functions;
    number = functions.getAndIncrement();
    region = regionBytes == 0 ? null : LazyMemory.allocate(regionBytes);
    if (region != null) {
      memory.add(regionBase(), region);
    }
  }

  /** The bus of another function of the same guest, with the same RAM and a region of its own. */
  public TestBus neighbour(final long regionBytes) {
    return new TestBus(memory, functions, regionBytes);
  }

  /** The guest's memory. */
  public TestMemory memory() {
    return memory;
  }

  /** Where the function's own region is, or would be. */
  public long regionBase() {
    return FIRST_WINDOW + number * WINDOW_BYTES;
  }

  /** Where the function's registers are: an address, but no memory. */
  public long registersBase() {
    return regionBase() + REGISTERS;
  }

  /**
   * The function's own region, to be given to the function.
   *
   * @throws IllegalStateException without one
   */
  public MemorySegment region() {
    if (region == null) {
      throw new IllegalStateException("the test's function has no region");
    }
    return region;
  }

  // ---- what a test changes

  /** Enables or disables MSI-X; enabled at first. */
  public void msix(final boolean on) {
    msix = on;
  }

  /** Sets how many vectors there are. */
  public void vectors(final int count) {
    vectors = count;
  }

  /** Enables or disables bus mastering; enabled at first. */
  public void busMaster(final boolean on) {
    busMaster = on;
    version.incrementAndGet();
  }

  /** Whether the region's BAR is decoded; it is at first. */
  public void decoded(final boolean on) {
    decoded = on;
    version.incrementAndGet();
  }

  /** Puts another page of RAM behind each page of bus addresses: an IOMMU. */
  public void pages(final LongUnaryOperator behind) {
    pages = behind;
    version.incrementAndGet();
  }

  /** The longest run that the IOMMU calls contiguous. */
  public void longestPiece(final long bytes) {
    longestPiece = bytes;
    version.incrementAndGet();
  }

  /** Takes memory away for good, as when the function is pulled out. */
  public void revoke() {
    revoked = true;
  }

  /** Sets what is run after each vector that is raised, on the thread that raised it. */
  public void onRaise(final Runnable action) {
    onRaise = action;
  }

  /** Sets who sees the device's accesses; they are numbered anew. */
  public void watch(final BusWatch by) {
    watched.set(0);
    watch = by;
  }

  // ---- what a test looks at

  /** Vectors raised, in order. */
  public List<Integer> messages() {
    return messages;
  }

  /** Arguments of {@link #translated(boolean)}, in order. */
  public List<Boolean> translations() {
    return translated;
  }

  /** Whether the line is asserted. */
  public boolean line() {
    return line;
  }

  /** Sections that are open; 0 when the device is at rest. */
  public int openSections() {
    return openSections.get();
  }

  /** Sessions that are open. */
  public int openSessions() {
    return openSessions.get();
  }

  /** The page of RAM behind a page of bus addresses. */
  public long behind(final long address) {
    return pages.applyAsLong(address / TestMemory.PAGE) * TestMemory.PAGE
        + address % TestMemory.PAGE;
  }

  // ---- the function's attachment and port

  @Override
  public PciAddress address() {
    return new PciAddress(0, FIRST_SLOT + number, 0);
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
  public void intx(final boolean asserted) {
    line = asserted;
  }

  @Override
  public long barAddress(final int index) {
    return index == REGION_BAR && region != null && decoded ? regionBase() : -1;
  }

  @Override
  public String name() {
    return "test " + address();
  }

  @Override
  public BusSession open() {
    openSessions.incrementAndGet();
    return new TestSession(this);
  }

  @Override
  public PortCounters counters() {
    return new PortCounters(regionAccesses.get(), ramAccesses.get(), faults.get(), messages.size());
  }

  /** A device raises vectors; where messages go is the bus's. */
  @Override
  public boolean message(final long address, final int data) {
    throw new UnsupportedOperationException("the device goes through raise");
  }

  // ---- for sessions

  /** The version of the routes, or -1 when they were revoked. */
  long version() {
    return revoked ? -1 : version.get();
  }

  void sections(final int more) {
    openSections.addAndGet(more);
  }

  void sessionClosed() {
    openSessions.decrementAndGet();
  }

  boolean masters() {
    return busMaster;
  }

  void fault() {
    faults.incrementAndGet();
  }

  /** Bytes of the function's own region, 0 without one. */
  long regionBytes() {
    final MemorySegment own = region;
    return own == null ? 0 : own.byteSize();
  }

  void countOwn(final long offset, final long length, final BusAccess access) {
    count(regionAccesses, regionBase() + offset, length, access);
  }

  void count(final long address, final long length, final BusAccess access) {
    count(inOwnRegion(address, length) ? regionAccesses : ramAccesses, address, length, access);
  }

  private void count(
      final AtomicLong counter, final long address, final long length, final BusAccess access) {
    counter.incrementAndGet();
    watch.resolved(watched.incrementAndGet(), address, length, access);
  }

  boolean inOwnRegion(final long address, final long length) {
    return decoded && TestMemory.within(address, length, regionBase(), regionBytes());
  }

  /** Whether something other than memory of this function answers at an address. */
  boolean occupied(final long address) {
    return address >= FIRST_WINDOW
        && address < FIRST_WINDOW + functions.get() * WINDOW_BYTES
        && (memory.covers(address, 1)
            || TestMemory.within(
                (address - FIRST_WINDOW) % WINDOW_BYTES, 1, REGISTERS, REGISTERS_BYTES));
  }

  /** How much of a run of RAM is contiguous behind the IOMMU. */
  long together(final long address, final long length) {
    long bytes = Math.min(length, TestMemory.PAGE - address % TestMemory.PAGE);
    while (bytes < length && behind(address + bytes) == behind(address) + bytes) {
      bytes = Math.min(length, bytes + TestMemory.PAGE);
    }
    return Math.min(bytes, longestPiece);
  }
}
