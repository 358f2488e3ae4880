package io.carom.shell.workload;

import io.carom.dma.DmaDeviceInfo;
import io.carom.dma.ExtentKind;
import io.carom.dma.SwapOptions;
import io.carom.guest.BlockDevice;
import io.carom.guest.FioJob;
import io.carom.guest.FioResult;
import io.carom.pci.PciAddress;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.result.FioReport;
import io.carom.shell.service.Disks;
import io.carom.shell.service.ShellServices;
import io.carom.shell.service.Swaps;
import io.carom.virtio.SwiotlbPolicy;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One workload, with the strategy it wants: swapped in before, and back afterwards. */
public final class FioRun {
  /** Default size of a scratch disk. */
  public static final long SCRATCH_BYTES = 64L << 20;

  private static final String SCRATCH = "fio-scratch";

  private final ShellServices services;
  private final @Nullable String strategy;
  private final @Nullable ExtentKind extents;
  private final Consumer<String> progress;

  /** With the wanted strategy, or null for the present one. */
  public FioRun(
      final ShellServices services,
      final @Nullable String strategy,
      final @Nullable ExtentKind extents,
      final Consumer<String> progress) {
    this.services = services;
    this.strategy = strategy;
    this.extents = extents;
    this.progress = progress;
  }

  /** Runs on a disk in memory that exists for the run only. */
  public FioReport onScratch(final long bytes, final Function<String, FioJob> job)
      throws InterruptedException {
    final Disks disks = new Disks(services);
    final BlockDevice disk = disks.attach(Disks.memory(SCRATCH, bytes, SwiotlbPolicy.HINT));
    try {
      final String address = PciAddress.parse(disk.address()).withDomain();
      return on(new DeviceNames(SCRATCH, disk.name(), address), job.apply(disk.name()));
    } finally {
      disks.detach(SCRATCH);
    }
  }

  /** Runs on a disk. */
  public FioReport on(final DeviceNames device, final FioJob job) throws InterruptedException {
    if (strategy == null) {
      return run(device, job);
    }
    final String address = device.requireAddress();
    final DmaDeviceInfo before = Swaps.info(services.dma(), address).orElse(null);
    Swaps.use(services.dma(), address, strategy, new SwapOptions(extents, null, null));
    try {
      return run(device, job);
    } finally {
      if (before != null && before.strategy() != null) {
        Swaps.use(
            services.dma(),
            address,
            before.strategy(),
            new SwapOptions(before.extents(), null, null));
      }
    }
  }

  private FioReport run(final DeviceNames device, final FioJob job) throws InterruptedException {
    final FioResult result = services.fio().run(job, progress::accept);
    return FioReport.of(
        result,
        Swaps.info(services.dma(), device.requireAddress())
            .map(DmaDeviceInfo::extents)
            .orElse(null),
        job.verify());
  }
}
