package io.carom.shell.fake;

import io.carom.guest.Fio;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Workloads that end at once, well unless told otherwise. */
public final class FakeFio implements Fio {
  private final FakeVirtio virtio;
  private final FakeDma dma;

  /** What was run. */
  public final List<FioJob> jobs = Collections.synchronizedList(new ArrayList<>());

  /** Disks whose content was described, with its length. */
  public final List<String> described = new ArrayList<>();

  /** Applied to each result. */
  public UnaryOperator<FioResult> twist = result -> result;

  /** Thrown by the next run, when set. */
  public @Nullable RuntimeException failure;

  /** Milliseconds that a time-based workload really takes. */
  public long realMs;

  FakeFio(final FakeVirtio virtio, final FakeDma dma) {
    this.virtio = virtio;
    this.dma = dma;
  }

  @Override
  public FioResult run(final FioJob job, final FioProgress progress) throws InterruptedException {
    jobs.add(job);
    if (failure != null) {
      throw failure;
    }
    final String host = virtio.hostOf(job.device());
    virtio.worked(host);
    Thread.sleep(realMs);
    progress.line(job.device() + ": running");
    final String strategy = dma.strategyOf(virtio.disk(host).address());
    final double iops = strategy.equals("direct") ? 200_000 : 180_000;
    return twist.apply(
        new FioResult(
            job.device(),
            strategy,
            job.rw(),
            job.bsBytes(),
            job.iodepth(),
            job.numjobs(),
            1000,
            iops,
            iops * job.bsBytes() / (1 << 20),
            90.5,
            120,
            250.25,
            400,
            1000,
            job.verify() ? 1 << 20 : 0,
            0,
            0,
            2,
            1000,
            12.5,
            null,
            job.seed(),
            job.iomem() == FioJob.IoMemory.REACHABLE ? job.iodepth() : 0,
            job.iomem() == FioJob.IoMemory.REACHABLE ? 1 : 0));
  }

  @Override
  public void describe(final String device, final MemorySegment content) {
    described.add(device + " " + content.byteSize());
  }

  @Override
  public void identify(final MemorySegment image, final long seed) {
    // each page names itself: enough for sums of the whole disk to differ by seed
    for (long at = 0; at < image.byteSize(); at += 4096) {
      image.set(ValueLayout.JAVA_LONG, at, at ^ seed);
    }
  }

  @Override
  public void forget(final String device) {}

  /** A result with blocks that were wrong. */
  public static FioResult corrupt(final FioResult r) {
    return new FioResult(
        r.device(),
        r.strategy(),
        r.rw(),
        r.bsBytes(),
        r.iodepth(),
        r.numjobs(),
        r.runtimeMs(),
        r.iops(),
        r.mibPerSecond(),
        r.p50Us(),
        r.p90Us(),
        r.p99Us(),
        r.p999Us(),
        r.maxUs(),
        r.verifiedBytes(),
        3,
        1,
        r.requeues(),
        r.requests(),
        r.maxPauseMs(),
        "sector 8 names sector 16",
        r.seed(),
        r.reachableBuffers(),
        r.fallbackBuffers());
  }
}
