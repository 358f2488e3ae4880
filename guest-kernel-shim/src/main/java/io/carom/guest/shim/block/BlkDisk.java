package io.carom.guest.shim.block;

import io.carom.dma.DmaDevice;
import io.carom.guest.BlockLimits;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.IoBuffer;
import io.carom.guest.shim.pci.PciDevice;
import io.carom.memory.PhysicalLayout;
import io.carom.virtio.BlkDescriptor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A disk as the rest of the guest sees it. A submitting thread always uses the same queue; with as
 * many queues as submitters each has one mostly for itself.
 *
 * <p>There is no limit to what may wait: requests wait in their own links, so the memory is the
 * submitter's, who bounds it by how many requests it makes.
 */
final class BlkDisk implements WatchedDisk {
  private final int number;
  private final String name;
  private final String address;
  private final long plugging;
  private final String serial;
  private final BlockLimits limits;
  private final boolean readOnly;
  private final int queueSize;
  private final BlkQueue[] queues;
  private final BlockPlatform platform;
  private final DiskStatistics statistics;
  private final SyncIo sync;
  private final DiskBuffers buffers;
  private final WriteWatch watch;
  private volatile long capacity;
  private volatile boolean live = true;

  /**
   * A disk.
   *
   * @param number number of its name
   * @param function its PCI function
   * @param identity what the device said of itself
   * @param dma what reaches its buffers
   * @param watch who is told of its writes
   */
  BlkDisk(
      final BlockPlatform platform,
      final int number,
      final PciDevice function,
      final DiskIdentity identity,
      final List<BlkQueue> queues,
      final DiskStatistics statistics,
      final DmaDevice dma,
      final WriteWatch watch) {
    this.platform = platform;
    this.number = number;
    this.name = DiskRegistry.name(number);
    this.address = function.name();
    this.plugging = function.plugging();
    this.serial = identity.serial();
    this.capacity = identity.capacityBytes();
    this.limits = identity.limits();
    this.readOnly = identity.readOnly();
    this.queueSize = identity.queueSize();
    this.queues = queues.toArray(BlkQueue[]::new);
    this.statistics = statistics;
    this.sync = new SyncIo(this, platform.memory(), platform.pages());
    this.buffers = new DiskBuffers(name, dma);
    this.watch = watch;
  }

  /**
   * What a device says of itself.
   *
   * @param serial its id string
   * @param capacityBytes its size
   * @param readOnly whether it refuses writes
   * @param queueSize entries of its largest queue
   * @param limits what it can do
   */
  record DiskIdentity(
      String serial, long capacityBytes, boolean readOnly, int queueSize, BlockLimits limits) {}

  /** The device has another size; requests that were begun go on. */
  void capacity(final long bytes) {
    final BlockRequest edge = new BlockRequest(); // a page that was cut there is another one now
    edge.op = BlockOp.WRITE;
    edge.sector = (Math.min(bytes, capacity) & -PhysicalLayout.PAGE_SIZE) / BlkDescriptor.SECTOR;
    edge.length = PhysicalLayout.PAGE_SIZE;
    capacity = bytes;
    watch.written(edge);
  }

  @Override
  public BlockLimits limits() {
    return limits;
  }

  int number() {
    return number;
  }

  /** The disk is not usable any more. */
  void end() {
    live = false;
    watch.ended();
  }

  /** Waits until its buffers are given back; how many are still held after a time. */
  int endBuffers(final long waitNs) {
    return buffers.end(waitNs);
  }

  @Override
  public WriteWatch watch() {
    return watch;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String address() {
    return address;
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
    return capacity;
  }

  @Override
  public boolean readOnly() {
    return readOnly;
  }

  @Override
  public int queues() {
    return queues.length;
  }

  @Override
  public int queueSize() {
    return queueSize;
  }

  @Override
  public boolean live() {
    return live;
  }

  @Override
  public void submit(final BlockRequest request) {
    if (request.op != BlockOp.FLUSH) {
      check(request);
    }
    request.submittedNs = platform.clock().nanoTime();
    request.requeues = 0;
    final int queue = (int) (Thread.currentThread().threadId() % queues.length);
    if (!queues[queue].submit(request)) {
      platform.supervisor().orphan(request);
    }
  }

  @Override
  public @Nullable IoBuffer allocateBuffer(final long bytes) {
    return live ? buffers.allocate(bytes) : null;
  }

  @Override
  public void freeBuffer(final IoBuffer buffer) {
    buffers.free(buffer);
  }

  @Override
  public void read(final long offset, final MemorySegment target) {
    sync.read(offset, target);
  }

  @Override
  public void write(final long offset, final MemorySegment source) {
    sync.write(offset, source);
  }

  @Override
  public void flush() {
    sync.flush();
  }

  @Override
  public BlockCounters counters() {
    return statistics.snapshot();
  }

  private void check(final BlockRequest request) {
    final int length = request.length;
    if (length <= 0 || length % BlkDescriptor.SECTOR != 0) {
      throw new IllegalArgumentException(
          name + ": length " + length + " is not a positive multiple of " + BlkDescriptor.SECTOR);
    }
    final long sectors = capacity / BlkDescriptor.SECTOR;
    final long count = length / BlkDescriptor.SECTOR;
    // count is positive and small: the difference cannot overflow
    if (request.sector < 0 || request.sector > sectors - count) {
      throw new IllegalArgumentException(
          name
              + ": "
              + count
              + " sectors at sector "
              + request.sector
              + " are beyond the capacity of "
              + sectors
              + " sectors");
    }
    if (!request.op.transfers()) {
      return;
    }
    // a buffer in the device's region is not RAM, but the device's all the same
    if (platform.memory().offset(request.buffer, length) < 0
        && !buffers.contains(request.buffer, length)) {
      throw new IllegalArgumentException(
          name
              + ": buffer of "
              + length
              + " bytes at 0x"
              + Long.toHexString(request.buffer)
              + " is not RAM, and not a buffer of this disk");
    }
  }
}
