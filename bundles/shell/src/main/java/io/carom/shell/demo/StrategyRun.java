package io.carom.shell.demo;

import io.carom.dma.DmaControl;
import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.guest.BlockDevice;
import io.carom.guest.FioJob;
import io.carom.guest.FioProgress;
import io.carom.guest.FioResult;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import io.carom.virtio.VirtioDeviceInfo;
import org.jspecify.annotations.Nullable;

/** Runs one workload on one strategy: reset, swap in, run, and the counters of all sides. */
final class StrategyRun {
  private final ShellServices services;

  StrategyRun(final ShellServices services) {
    this.services = services;
  }

  /** Runs it. The job's device is filled in here: the disk's name after the reset. */
  DemoReport.Run run(final DemoDisk disk, final String strategy, final FioJob job)
      throws InterruptedException {
    final DmaControl dma = services.dma();
    final BlockDevice guest = disk.reset();
    final String device = DemoDisk.dmaName(guest);
    Swaps.use(dma, device, strategy, SwapOptions.DEFAULTS);
    final VirtioDeviceInfo hostBefore = disk.counters();
    final long failedBefore = failedMaps(dma, device);
    final FioResult result = services.fio().run(on(guest.name(), job), FioProgress.SILENT);
    final VirtioDeviceInfo hostAfter = disk.counters();
    return new DemoReport.Run(
        guest.name(),
        disk.policy(),
        strategy,
        extents(dma, device),
        disk.file() == null ? "memory" : "file",
        job.verify(),
        job.rw(),
        job.bsBytes(),
        job.iodepth(),
        result.iops(),
        result.mibPerSecond(),
        result.p50Us(),
        result.p99Us(),
        result.verifiedBytes(),
        result.corruptBlocks(),
        result.lostRequests(),
        failedMaps(dma, device) - failedBefore,
        hostAfter.systemMemoryAccesses() - hostBefore.systemMemoryAccesses(),
        hostAfter.ownRegionAccesses() - hostBefore.ownRegionAccesses(),
        result.firstCorruption());
  }

  static FioJob on(final String disk, final FioJob job) {
    return new FioJob(
        disk,
        job.rw(),
        job.bsBytes(),
        job.iodepth(),
        job.numjobs(),
        job.offsetBytes(),
        job.sizeBytes(),
        job.runtimeMs(),
        job.timeBased(),
        job.verify(),
        job.rwmixread(),
        job.seed());
  }

  private static long failedMaps(final DmaControl dma, final String device) {
    return Swaps.info(dma, device).map(DmaDeviceInfo::failedMaps).orElse(0L);
  }

  private static @Nullable ExtentKind extents(final DmaControl dma, final String device) {
    return Swaps.info(dma, device).map(DmaDeviceInfo::extents).orElse(null);
  }
}
