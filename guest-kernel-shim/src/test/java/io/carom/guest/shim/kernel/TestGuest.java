package io.carom.guest.shim.kernel;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockOp;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.shim.block.BlkTunables;
import io.carom.guest.shim.fake.FakeBlk;
import io.carom.guest.shim.fake.FakeBus;
import io.carom.guest.shim.fake.FakeDma;
import io.carom.guest.shim.fake.FakeIommu;
import io.carom.guest.shim.fake.FakeMemory;
import io.carom.guest.shim.fake.FakeMsi;
import io.carom.guest.shim.virtio.VirtioSettings;
import io.carom.iommu.GuestIommu;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** A guest on a fake machine. */
final class TestGuest implements AutoCloseable {
  static final long MIB = 1 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final long STOP_NS = PATIENCE.toNanos();

  final FakeMemory memory = new FakeMemory(16 * MIB, 16 * MIB);
  final FakeMsi msi = new FakeMsi();
  final FakeBus bus = new FakeBus(msi);
  final RamPageAllocator pages = new RamPageAllocator(memory);
  final FakeDma dma = new FakeDma(memory, pages);
  final BlkTunables tunables = new BlkTunables(20_000, 10_000, 5);
  final Guest guest;

  /** How far the guest's clock is ahead, ns: to let deadlines pass. */
  final AtomicLong ahead = new AtomicLong();

  private final List<FakeBlk> devices = new ArrayList<>();

  /** What the guest's virtio drivers are configured to. */
  volatile VirtioSettings virtio = VirtioSettings.DEFAULTS;

  /** Whether the IOMMU's driver batches. */
  volatile boolean iommuBatched = true;

  /** How a request ended. */
  record Ended(BlockRequest request, BlockStatus status) {}

  final BlockingQueue<Ended> ended = new LinkedBlockingQueue<>();

  TestGuest() {
    guest =
        new Guest(
            memory,
            bus,
            msi,
            pages,
            tunables,
            () -> virtio,
            () -> iommuBatched,
            () -> System.nanoTime() + ahead.get());
  }

  void refuseSwiotlb() {
    virtio =
        new VirtioSettings(
            false,
            virtio.swiotlbBit(),
            virtio.dmbBit(),
            virtio.dmbRegister(),
            virtio.msix(),
            virtio.denied());
  }

  /** A block device that is not plugged yet. */
  FakeBlk blk(final String serial, final int queues, final int queueSize, final long region) {
    final FakeBlk device = new FakeBlk(msi, memory, serial, 4 * MIB, queues, queueSize, region);
    devices.add(device);
    return device;
  }

  /** A guest that has booted with one disk at 00:04.0. */
  static TestGuest withDisk(final int queues, final int queueSize) {
    final TestGuest test = new TestGuest();
    test.bus.add("00:04.0", test.blk("disk0", queues, queueSize, 0));
    test.boot();
    return test;
  }

  /** An IOMMU that sits behind the disk on the bus, at 00:09.0. */
  FakeIommu iommu(final int queueSize) {
    return bus.add("00:09.0", new FakeIommu(msi, memory, queueSize));
  }

  /** The driver of the IOMMU. */
  GuestIommu driver() {
    return guest.iommus().current().orElseThrow(() -> new AssertionError(guest.dmesg()));
  }

  FakeBlk device() {
    return devices.getFirst();
  }

  BlockDevice vda() {
    return guest.blockDevice("vda").orElseThrow(() -> new AssertionError(guest.dmesg()));
  }

  void boot() {
    onWork(
        () -> {
          guest.lookForBridge();
          guest.dmaArrived(dma);
        });
  }

  void onWork(final Runnable task) {
    if (!guest.work().call(task, PATIENCE)) {
      throw new AssertionError("the work thread does not come back: " + guest.dmesg());
    }
  }

  FakeDma.Device dmaDevice() {
    final FakeDma.@Nullable Device device = dma.devices.get("0000:00:04.0");
    if (device == null) {
      throw new AssertionError("no DMA device");
    }
    return device;
  }

  long allocate(final long bytes) {
    return pages.allocate((bytes + 4095) / 4096, 4096, Long.MAX_VALUE);
  }

  /** A request that reports into {@link #ended}. */
  BlockRequest request(final BlockOp op, final long sector, final int length) {
    final BlockRequest request = new BlockRequest();
    request.op = op;
    request.sector = sector;
    request.length = length;
    request.buffer = length == 0 ? 0 : allocate(length);
    request.completion = (of, status) -> ended.add(new Ended(of, status));
    return request;
  }

  Ended awaitEnd() {
    try {
      final Ended next = ended.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("no request ended: " + guest.dmesg());
      }
      return next;
    } catch (final InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Waits until a reset of the disk is over. Its count is told when it begins, and a request that
   * the queue takes up before it is held then ends with those of before.
   */
  void awaitReset() {
    await("the reset", () -> guest.dmesg().stream().anyMatch(line -> line.endsWith("[vda] reset")));
  }

  void await(final String what, final BooleanSupplier condition) {
    final long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new AssertionError("waited in vain for: " + what + ": " + guest.dmesg());
      }
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    guest.stop(System.nanoTime() + STOP_NS);
    devices.forEach(FakeBlk::stop);
  }
}
