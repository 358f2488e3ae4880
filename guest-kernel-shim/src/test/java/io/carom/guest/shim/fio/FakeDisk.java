package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockLimits;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.fake.AllocatingMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A disk in memory with workers of its own, that does to each request what its fault says. */
final class FakeDisk implements BlockDevice, AutoCloseable {
  /** What happens to a request; the default performs and completes it. */
  @FunctionalInterface
  interface Fault {
    /** Handles a request; {@code number} counts from 0. */
    void handle(BlockRequest request, long number, FakeDisk disk);
  }

  static final Fault NONE = (request, number, disk) -> disk.finish(request);

  final MemorySegment content;
  final AtomicLong submitted = new AtomicLong();
  final AtomicInteger overlaps = new AtomicInteger();
  final AtomicInteger deepest = new AtomicInteger();
  final AtomicLong requeues = new AtomicLong();
  final List<BlockRequest> held = new ArrayList<>();

  volatile Fault fault = NONE;
  volatile boolean readOnly;
  volatile BlockLimits limits = BlockLimits.NONE;
  volatile boolean live = true;
  volatile boolean refuses;

  /** While not open, the submission with this number hangs. */
  volatile CountDownLatch gate = new CountDownLatch(0);

  volatile int gateAt = -1;
  volatile String serial = "serial0";
  volatile long plugging;

  private final String name;
  private final AllocatingMemory memory;
  private final LinkedBlockingQueue<BlockRequest> queue = new LinkedBlockingQueue<>();
  private final List<Thread> workers = new ArrayList<>();
  private final AtomicInteger entered = new AtomicInteger();
  private final AtomicInteger outstanding = new AtomicInteger();
  private final AtomicInteger unended = new AtomicInteger();
  private final BitSet reading = new BitSet();
  private final BitSet writing = new BitSet();
  private final List<Long> order = new ArrayList<>();
  private final List<BlockOp> ops = new ArrayList<>();

  FakeDisk(final String name, final long bytes, final AllocatingMemory memory, final int threads) {
    this.name = name;
    this.memory = memory;
    this.content = Arena.ofAuto().allocate(bytes, 512);
    for (int i = 0; i < threads; i++) {
      workers.add(Thread.ofPlatform().daemon().name(name + "-" + i).start(this::work));
    }
  }

  @SuppressWarnings("InterruptedExceptionSwallowed")
  private void work() {
    try {
      while (true) {
        final BlockRequest request = queue.take();
        fault.handle(request, submitted.getAndIncrement(), this);
      }
    } catch (final InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** First sectors of the requests in the order they came. */
  synchronized List<Long> order() {
    return List.copyOf(order);
  }

  synchronized List<BlockOp> ops() {
    return List.copyOf(ops);
  }

  /** Submissions since {@link #gateAt} was set, hanging ones among them. */
  int entered() {
    return entered.get();
  }

  synchronized void forgetOrder() {
    order.clear();
    ops.clear();
  }

  /** Performs a request and completes it. */
  void finish(final BlockRequest request) {
    perform(request, request.sector);
    complete(request, BlockStatus.OK);
  }

  /** Moves the bytes, perhaps to or from a wrong place. */
  void perform(final BlockRequest request, final long sector) {
    final MemorySegment place = content.asSlice(sector * 512, request.length);
    if (request.op == BlockOp.DISCARD) {
      place.fill((byte) 0);
      return;
    }
    final MemorySegment buffer = buffer(request);
    if (request.op == BlockOp.WRITE) {
      place.copyFrom(buffer);
    } else {
      buffer.copyFrom(place);
    }
  }

  MemorySegment buffer(final BlockRequest request) {
    return memory.segment(request.buffer, request.length);
  }

  void complete(final BlockRequest request, final BlockStatus status) {
    leave(request);
    request.completion.completed(request, status);
    unended.decrementAndGet();
  }

  /** Whether all requests but these have ended, to the return of their completions. */
  boolean allEndedBut(final int count) {
    return unended.get() == count;
  }

  /** Keeps a request without completing it. */
  void hold(final BlockRequest request) {
    synchronized (held) {
      held.add(request);
    }
  }

  /** Holds a request unless so many are held already, also where several workers ask at once. */
  boolean holdUpTo(final int count, final BlockRequest request) {
    synchronized (held) {
      return held.size() < count && held.add(request);
    }
  }

  /** Holds requests until there are so many, then finishes them all. */
  void finishTogether(final BlockRequest request, final int count) {
    final List<BlockRequest> all;
    synchronized (held) {
      held.add(request);
      if (held.size() < count) {
        return;
      }
      all = List.copyOf(held);
      held.clear();
    }
    all.forEach(this::finish);
  }

  int heldCount() {
    synchronized (held) {
      return held.size();
    }
  }

  @Override
  public void submit(final BlockRequest request) {
    if (refuses) {
      throw new IllegalArgumentException("no");
    }
    if (gateAt >= 0 && entered.getAndIncrement() == gateAt) {
      awaitGate();
    }
    enter(request);
    queue.add(request);
  }

  private void awaitGate() {
    try {
      gate.await();
    } catch (final InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private synchronized void enter(final BlockRequest request) {
    unended.incrementAndGet();
    order.add(request.sector);
    ops.add(request.op);
    deepest.accumulateAndGet(outstanding.incrementAndGet(), Math::max);
    final int from = (int) request.sector;
    final int to = from + request.length / 512;
    final boolean write = request.op != BlockOp.READ;
    if (touches(writing, from, to) || (write && touches(reading, from, to))) {
      overlaps.incrementAndGet();
    }
    (write ? writing : reading).set(from, to);
  }

  private static boolean touches(final BitSet set, final int from, final int to) {
    final int next = set.nextSetBit(from);
    return next >= 0 && next < to;
  }

  private synchronized void leave(final BlockRequest request) {
    outstanding.decrementAndGet();
    final int from = (int) request.sector;
    (request.op == BlockOp.READ ? reading : writing).clear(from, from + request.length / 512);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String address() {
    return "0000:00:04.0";
  }

  @Override
  public String serial() {
    return serial;
  }

  @Override
  public long plugging() {
    return plugging;
  }

  @Override
  public long capacityBytes() {
    return content.byteSize();
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public BlockLimits limits() {
    return limits;
  }

  @Override
  public int queues() {
    return 1;
  }

  @Override
  public int queueSize() {
    return 128;
  }

  @Override
  public boolean live() {
    return live;
  }

  @Override
  public void read(final long offset, final MemorySegment target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void write(final long offset, final MemorySegment source) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void flush() {
    throw new UnsupportedOperationException();
  }

  @Override
  public BlockCounters counters() {
    return new BlockCounters(0, 0, 0, 0, 0, 0, 0, requeues.get(), 0, 0);
  }

  @Override
  public void close() {
    workers.forEach(Thread::interrupt);
  }
}
