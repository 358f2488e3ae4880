package io.carom.guest.shim.block;

import io.carom.guest.BlockStatus;
import io.carom.guest.shim.block.BlkQueue.Kind;
import io.carom.guest.shim.pci.PciDriver;
import io.carom.guest.shim.pci.ProbeException;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.guest.shim.virtio.VirtioPciTransport.ResetOutcome;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A block device under its driver, from probe to removal.
 *
 * <p><b>Resets.</b> A device that asks for a reset (DEVICE_NEEDS_RESET), breaks a rule of the ring
 * or lets a request's deadline pass is reset and initialised anew, on the kernel's work thread: the
 * workers hold, the device is reset, the workers end what it had (with IO_ERROR; after a timeout
 * the overdue ones with TIMEOUT and the others with GONE), and go on with what was waiting. Nothing
 * is unmapped before the reset has ended. A device that has completed nothing since the last such
 * reset is given up instead: it is marked FAILED and its requests end as GONE.
 *
 * <p>With RING_RESET a queue that breaks, or lets a deadline pass, is reset alone in the same way,
 * while requests of the others go on. If that does not help, because the queue completes nothing
 * until it breaks again, or the reset does not end, the whole device is.
 *
 * <p>The DMA core can have it reset too, to be sure that it reaches no memory of before: that says
 * nothing about the device, which is not given up for it.
 *
 * <p>While the device is suspended the workers hold; deadlines begin anew when it goes on. A reset
 * ends a suspension.
 */
final class VirtioBlk implements PciDriver.Binding, BlkQueue.Owner {
  static final long FEATURES =
      VirtioFeatures.BLK_SIZE_MAX
          | VirtioFeatures.BLK_SEG_MAX
          | VirtioFeatures.BLK_RO
          | VirtioFeatures.BLK_BLK_SIZE
          | VirtioFeatures.BLK_GEOMETRY
          | VirtioFeatures.BLK_FLUSH
          | VirtioFeatures.BLK_TOPOLOGY
          | VirtioFeatures.BLK_CONFIG_WCE
          | VirtioFeatures.BLK_DISCARD
          | VirtioFeatures.BLK_WRITE_ZEROES
          | VirtioFeatures.BLK_MQ;

  private static final long STEP_TIMEOUT_NS = 3_000_000_000L;
  private static final long BUFFERS_NS = 1_000_000_000L;
  private static final long POLL_NS = 200_000L;

  private final BlockPlatform platform;
  private final VirtioDevice device;
  private final DiskStatistics statistics;
  private final AtomicBoolean recovering = new AtomicBoolean();
  private List<BlkQueue> queues = List.of();
  private @Nullable BlkDisk disk;
  private final Map<BlkQueue, Long> progressAtQueueReset = new HashMap<>();
  private volatile boolean removed;
  private final AtomicInteger resets = new AtomicInteger();
  private boolean suspended;
  private boolean givenUp;
  private long progressAtReset = -1;

  VirtioBlk(
      final BlockPlatform platform, final VirtioDevice device, final DiskStatistics statistics) {
    this.platform = platform;
    this.device = device;
    this.statistics = statistics;
  }

  void queues(final List<BlkQueue> of) {
    queues = List.copyOf(of);
  }

  void disk(final BlkDisk of) {
    disk = of;
  }

  /** Starts the workers. */
  void run() {
    queues.forEach(BlkQueue::start);
    for (final BlkQueue queue : queues) {
      platform.supervisor().watch(queue, () -> takenOver(queue));
    }
    queues.forEach(queue -> queue.order(Kind.RUN, BlockStatus.GONE));
    device.fence(platform.work(), this::fence);
  }

  /** The probe failed: nothing is to be recovered. */
  void abandon() {
    removed = true;
  }

  /** The configuration interrupt, on the interrupt thread. */
  void configChanged() {
    if (device.needsReset()) {
      broken("device needs reset", BlockStatus.IO_ERROR);
    } else {
      platform.work().execute(this::followCapacity);
    }
  }

  /** The capacity may be another one now; on the work thread. */
  private void followCapacity() {
    final BlkDisk of = disk;
    if (removed || of == null || !device.running()) {
      return;
    }
    final long sectors = device.transport().config(BlkDescriptor.CONFIG_CAPACITY, 8);
    if (sectors < 0 || sectors > Long.MAX_VALUE / BlkDescriptor.SECTOR) {
      platform
          .dmesg()
          .log("virtio_blk " + label() + " ignores " + Long.toUnsignedString(sectors) + " sectors");
      return;
    }
    final long bytes = sectors * BlkDescriptor.SECTOR;
    if (bytes != of.capacityBytes()) {
      of.capacity(bytes);
      platform.dmesg().log("virtio_blk " + label() + " new size: " + sectors + " sectors");
    }
  }

  @Override
  public void broken(final BlkQueue queue, final String reason, final BlockStatus endAs) {
    final int before = resets.get();
    if (!removed && !recovering.get()) {
      platform.dmesg().log("virtio_blk " + device.name() + ": " + reason);
      platform.work().execute(() -> recover(queue, endAs, before));
    }
  }

  private void broken(final String reason, final BlockStatus endAs) {
    if (!removed && recovering.compareAndSet(false, true)) {
      platform.dmesg().log("virtio_blk " + device.name() + ": " + reason);
      platform.work().execute(() -> recover(endAs));
    }
  }

  @Override
  public void remove(final boolean gone) {
    removed = true;
    endDisk(true);
    orderAll(Kind.HOLD, BlockStatus.GONE);
    if (!gone) {
      device.quiesce();
    }
    orderAll(Kind.EXIT, BlockStatus.GONE);
    endBuffers();
    queues.forEach(platform.supervisor()::forget);
    queues.forEach(queue -> queue.ring().free());
    device.free();
  }

  /** All requests have ended, so whoever holds buffers of the disk is about to give them back. */
  private void endBuffers() {
    final BlkDisk of = disk;
    final int held = of == null ? 0 : of.endBuffers(BUFFERS_NS);
    if (held > 0) {
      platform.dmesg().log("virtio_blk " + label() + " removed with " + held + " buffers in use");
    }
  }

  private void takenOver(final BlkQueue queue) {
    statistics.takeovers.increment();
    platform
        .dmesg()
        .log(
            "virtio_blk "
                + device.name()
                + ": "
                + queue.name()
                + ": worker hangs in the DMA API, taken over");
    if (queue.hung.get() >= BlkSupervisor.MOST_HUNG) {
      broken(queue.name() + ": " + queue.hung.get() + " workers hang", BlockStatus.GONE);
    }
  }

  /** A queue is broken, in the time of so many resets of the device. */
  private void recover(final BlkQueue queue, final BlockStatus endAs, final int before) {
    if (removed || resets.get() != before) {
      return; // a reset of the device, since, has mended it
    }
    final long progress = queue.completed();
    final @Nullable Long last = progressAtQueueReset.put(queue, progress);
    final boolean helpless = last != null && last == progress;
    final boolean alone = device.has(VirtioFeatures.RING_RESET) && device.running() && !helpless;
    if ((!alone || !resetQueue(queue, endAs)) && recovering.compareAndSet(false, true)) {
      recover(endAs);
    }
  }

  /** Resets one queue; false when that needs more. */
  private boolean resetQueue(final BlkQueue queue, final BlockStatus endAs) {
    final List<BlkQueue> only = List.of(queue);
    order(only, Kind.HOLD, endAs);
    final int number = queue.ring().queue().number();
    final ResetOutcome outcome = device.resetQueue(number);
    if (outcome != ResetOutcome.DONE) {
      platform
          .dmesg()
          .log("virtio_blk " + label() + " " + queue.name() + ": queue reset: " + outcome);
      return false;
    }
    statistics.resets.increment();
    order(only, Kind.DRAIN, endAs);
    queue.prepare();
    try {
      device.enableQueue(number);
    } catch (final ProbeException e) {
      platform.dmesg().log("virtio_blk " + label() + " " + queue.name() + ": " + e.getMessage());
      return false;
    }
    platform.dmesg().log("virtio_blk " + label() + " " + queue.name() + " reset");
    order(only, Kind.RUN, endAs);
    return true;
  }

  @Override
  public void suspend() {
    if (suspended) {
      throw new IllegalStateException(device.name() + " is suspended already");
    }
    orderAll(Kind.HOLD, BlockStatus.GONE);
    try {
      device.suspend();
      suspended = true;
    } finally {
      if (!suspended) {
        orderAll(Kind.RUN, BlockStatus.GONE);
      }
    }
  }

  @Override
  public void resume() {
    if (!suspended) {
      throw new IllegalStateException(device.name() + " is not suspended");
    }
    suspended = false;
    try {
      device.resume();
    } catch (final IllegalStateException e) {
      broken("it does not go on", BlockStatus.IO_ERROR);
      throw e;
    }
    queues.forEach(BlkQueue::restartDeadlines);
    orderAll(Kind.RUN, BlockStatus.GONE);
  }

  /** For the DMA core; on the work thread. */
  private void fence(final Consumer<Boolean> complete) {
    if (!removed && !givenUp) {
      platform.dmesg().log("virtio_blk " + label() + " fenced: what it has ends as an error");
      recovering.set(true);
      recover(BlockStatus.IO_ERROR, complete);
    }
  }

  private void recover(final BlockStatus endAs) {
    recover(endAs, null);
  }

  /**
   * Resets the device and starts it anew.
   *
   * @param complete is told whether the reset was, when nothing is mapped for it any more; null for
   *     a device that gave reason for it, which is given up when that does not help
   */
  private void recover(final BlockStatus endAs, final @Nullable Consumer<Boolean> complete) {
    if (removed) {
      return;
    }
    statistics.resets.increment();
    resets.incrementAndGet();
    suspended = false;
    progressAtQueueReset.clear();
    final long progress = queues.stream().mapToLong(BlkQueue::completed).sum();
    final boolean hopeless = complete == null && progress == progressAtReset;
    progressAtReset = complete == null ? progress : progressAtReset;
    orderAll(Kind.HOLD, endAs);
    final ResetOutcome outcome = device.quiesce();
    orderAll(Kind.DRAIN, endAs);
    if (complete != null) {
      complete.accept(outcome == ResetOutcome.DONE);
    }
    recovering.set(false);
    if (outcome != ResetOutcome.DONE || hopeless) {
      giveUp(hopeless ? "no request completed since the last reset" : "reset: " + outcome);
      return;
    }
    try {
      device.negotiate(FEATURES);
      queues.forEach(BlkQueue::prepare);
      device.enableQueues();
      device.start();
    } catch (final ProbeException e) {
      giveUp(String.valueOf(e.getMessage()));
      return;
    }
    platform.dmesg().log("virtio_blk " + label() + " reset");
    orderAll(Kind.RUN, endAs);
  }

  private void giveUp(final String why) {
    givenUp = true;
    platform.dmesg().log("virtio_blk " + label() + " given up: " + why);
    endDisk(false);
    device.fail();
    orderAll(Kind.EXIT, BlockStatus.GONE);
  }

  private void endDisk(final boolean forget) {
    final BlkDisk of = disk;
    if (of != null) {
      of.end();
      if (forget) {
        platform.registry().remove(of);
      }
    }
  }

  private String label() {
    final BlkDisk of = disk;
    return device.name() + (of == null ? ":" : ": [" + of.name() + "]");
  }

  private void orderAll(final Kind kind, final BlockStatus endAs) {
    order(queues, kind, endAs);
  }

  /** Gives an order to queues and waits until all have obeyed; bounded. */
  private void order(final List<BlkQueue> to, final Kind kind, final BlockStatus endAs) {
    to.forEach(queue -> queue.order(kind, endAs));
    if (await(to, false)) {
      return;
    }
    // Workers still hang, although the supervisor replaced them in turn: whoever follows now leaves
    // mappings alone. They stay out of use; that is a leak, but no one else's memory.
    to.forEach(BlkQueue::leakMappings);
    if (!await(to, true)) {
      platform.dmesg().log("virtio_blk " + device.name() + ": a worker does not obey " + kind);
    }
  }

  private boolean await(final List<BlkQueue> obeying, final boolean force) {
    final long start = System.nanoTime();
    while (!obeying.stream().allMatch(BlkQueue::done)) {
      if (System.nanoTime() - start > STEP_TIMEOUT_NS) {
        return false;
      }
      if (force) {
        obeying.forEach(platform.supervisor()::force);
      }
      LockSupport.parkNanos(POLL_NS);
    }
    return true;
  }
}
