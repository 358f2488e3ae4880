package io.carom.guest.shim.fio;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockRequest;
import io.carom.guest.BlockStatus;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.guest.GuestKernel;
import io.carom.guest.PciDeviceInfo;
import io.carom.guest.shim.fake.AllocatingMemory;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * What the runner itself costs, by hand: a disk that does nothing, completing within submission or
 * on one worker in batches. Not a test: prints nanoseconds of wall time and of CPU, and bytes of
 * heap, per request.
 */
final class RunnerCost implements GuestKernel, BlockDevice {
  private static final long BYTES = 64 << 20;

  private final AllocatingMemory memory = new AllocatingMemory(64 << 20);
  private final boolean synchronous;
  private @Nullable BlockRequest queue;
  private final Thread worker = Thread.ofPlatform().daemon().name("worker").unstarted(this::work);

  private RunnerCost(final boolean synchronous) {
    this.synchronous = synchronous;
    worker.start();
  }

  /** Runs all variants. */
  public static void main(final String[] args) throws InterruptedException {
    for (int round = 0; round < 3; round++) {
      for (final boolean synchronous : new boolean[] {true, false}) {
        for (final boolean inline : new boolean[] {true, false}) {
          new RunnerCost(synchronous).measure(inline, false, "randread");
        }
      }
      new RunnerCost(true).measure(false, true, "randread");
      new RunnerCost(true).measure(false, true, "randwrite");
    }
  }

  private void measure(final boolean inline, final boolean verify, final String rw)
      throws InterruptedException {
    final var settings =
        new FioRun.Settings(
            System::nanoTime, TimeUnit.SECONDS.toNanos(30), TimeUnit.SECONDS.toNanos(1), inline);
    final FioComponent fio = new FioComponent(this, memory, memory, settings, () -> 1L << 50);
    final FioJob job = FioJob.of("null", rw).withVerify(verify).forMillis(1500);
    if (verify) {
      // one block's content serves the buffers: every read is judged, and found foreign
      fio.describe("null", MemorySegment.ofArray(new byte[(int) BYTES]));
    }
    fio.run(job.forMillis(500), FioProgress.SILENT);
    final long heap = heapBytes();
    final long cpu = cpuNs();
    final FioResult result = fio.run(job, FioProgress.SILENT);
    final long cpuNs = cpuNs() - cpu;
    final long heapBytes = heapBytes() - heap;
    System.out.printf(
        "%s%s device, %s: %.0f ns, %.0f ns CPU and %.2f bytes of heap per request; p50 %.1f us%n",
        rw,
        verify ? " verified" : "",
        (synchronous ? "synchronous" : "worker's") + (inline ? " inline" : " own thread"),
        1e9 / result.iops(),
        (double) cpuNs / result.requests(),
        (double) heapBytes / result.requests(),
        result.p50Us());
    worker.interrupt();
  }

  private static long cpuNs() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long heapBytes() {
    return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getTotalThreadAllocatedBytes();
  }

  private void work() {
    while (!Thread.interrupted()) {
      BlockRequest batch;
      synchronized (this) {
        batch = queue;
        queue = null;
      }
      if (batch == null) {
        LockSupport.parkNanos(50_000);
      }
      while (batch != null) {
        final BlockRequest next = batch.next;
        batch.next = null;
        batch.completion.completed(batch, BlockStatus.OK);
        batch = next;
      }
    }
  }

  @Override
  public void submit(final BlockRequest request) {
    if (synchronous) {
      request.completion.completed(request, BlockStatus.OK);
      return;
    }
    synchronized (this) {
      request.next = queue;
      queue = request;
    }
    if (request.next == null) {
      LockSupport.unpark(worker);
    }
  }

  @Override
  public String name() {
    return "null";
  }

  @Override
  public String address() {
    return "0000:00:04.0";
  }

  @Override
  public String serial() {
    return "";
  }

  @Override
  public long capacityBytes() {
    return BYTES;
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
    return 256;
  }

  @Override
  public boolean live() {
    return true;
  }

  @Override
  public void read(final long offset, final MemorySegment target) {}

  @Override
  public void write(final long offset, final MemorySegment source) {}

  @Override
  public void flush() {}

  @Override
  public BlockCounters counters() {
    return new BlockCounters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  @Override
  public List<BlockDevice> blockDevices() {
    return List.of(this);
  }

  @Override
  public Optional<BlockDevice> blockDevice(final String wanted) {
    return Optional.of(this);
  }

  @Override
  public List<String> dmesg() {
    return List.of();
  }

  @Override
  public List<PciDeviceInfo> pciDevices() {
    return List.of();
  }

  @Override
  public Optional<BlockDevice> awaitBlockDevice(final String serial, final Duration timeout) {
    return Optional.empty();
  }

  @Override
  public void rebind(final String pciAddress) {}
}
