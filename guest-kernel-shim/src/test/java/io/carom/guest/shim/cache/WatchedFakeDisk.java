package io.carom.guest.shim.cache;

import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.block.WatchedDisk;
import io.carom.guest.shim.block.WriteWatch;
import io.carom.memory.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/** A disk in memory with workers of its own, that tells of its writes as the block layer does. */
final class WatchedFakeDisk implements WatchedDisk, AutoCloseable {
  final MemorySegment content;
  final WriteWatch watch = new WriteWatch();
  final AtomicLong reads = new AtomicLong();
  final AtomicLong writes = new AtomicLong();
  final AtomicInteger arrived = new AtomicInteger();
  volatile boolean live = true;

  /** How a request with a number ends; OK ones are performed before. */
  volatile BiFunction<BlockRequest, Long, BlockStatus> fate = (request, n) -> BlockStatus.OK;

  /** Runs between the moving of the bytes and the end of a request: what is moved may age. */
  volatile Runnable delay = () -> {};

  private final GuestMemory memory;
  private final AtomicLong number = new AtomicLong();
  private final LinkedBlockingQueue<BlockRequest> queue = new LinkedBlockingQueue<>();
  private final List<Thread> workers = new ArrayList<>();

  WatchedFakeDisk(final long bytes, final GuestMemory memory, final int threads) {
    this.memory = memory;
    this.content = Arena.ofAuto().allocate(bytes, 512);
    for (int i = 0; i < threads; i++) {
      workers.add(Thread.ofPlatform().daemon().start(this::work));
    }
  }

  private void work() {
    while (true) {
      try {
        serve(queue.take());
      } catch (final InterruptedException e) {
        return;
      }
    }
  }

  private void serve(final BlockRequest request) {
    final boolean write = request.op == BlockOp.WRITE;
    (write ? writes : reads).incrementAndGet();
    final MemorySegment buffer = memory.segment(request.buffer, request.length);
    final MemorySegment place = content.asSlice(request.sector * 512, request.length);
    final BlockStatus status = fate.apply(request, number.getAndIncrement());
    if (status == BlockStatus.OK) {
      (write ? place : buffer).copyFrom(write ? buffer : place);
    }
    delay.run();
    if (write) {
      watch.written(request);
    }
    request.completion.completed(request, status);
  }

  /** It goes. */
  void end() {
    live = false;
    watch.ended();
  }

  @Override
  public WriteWatch watch() {
    return watch;
  }

  @Override
  public void submit(final BlockRequest request) {
    arrived.incrementAndGet();
    queue.add(request);
  }

  @Override
  public void read(final long offset, final MemorySegment target) {
    target.copyFrom(content.asSlice(offset, target.byteSize()));
  }

  @Override
  public void write(final long offset, final MemorySegment source) {
    content.asSlice(offset, source.byteSize()).copyFrom(source);
    final BlockRequest request = new BlockRequest();
    request.op = BlockOp.WRITE;
    request.sector = offset / 512;
    request.length = (int) source.byteSize();
    watch.written(request);
  }

  @Override
  public void flush() {}

  @Override
  public String name() {
    return "vda";
  }

  @Override
  public String address() {
    return "0000:00:04.0";
  }

  @Override
  public String serial() {
    return "serial";
  }

  @Override
  public long capacityBytes() {
    return content.byteSize();
  }

  @Override
  public boolean readOnly() {
    return false;
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
  public BlockCounters counters() {
    return new BlockCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Override
  public void close() {
    workers.forEach(Thread::interrupt);
  }
}
