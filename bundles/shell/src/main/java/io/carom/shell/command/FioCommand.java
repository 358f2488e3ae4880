package io.carom.shell.command;

import io.carom.dma.ExtentKind;
import io.carom.guest.FioJob;
import io.carom.guest.FioJob.IoMemory;
import io.carom.shell.device.DeviceDirectory;
import io.carom.shell.device.DeviceNames;
import io.carom.shell.service.ShellServices;
import io.carom.shell.workload.FioRun;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(name = "carom:fio", description = "Run a workload on a disk, with fio's options.")
final class FioCommand extends ShellCommand {
  private static final int MOST_BYTES = 1 << 30;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "The disk; may be left out when there is only one.")
  @Nullable String device;

  @Option(
      names = "--rw",
      paramLabel = "RW",
      completionCandidates = FioWords.Rw.class,
      converter = FioWords.Rw.class,
      description =
          "read (default), write, trim, randread, randwrite, randtrim or randrw. trim discards: the"
              + " disk needs DISCARD, and with --verify what is discarded must read as zero.")
  String rw = "read";

  @Option(
      names = "--bs",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Block size; 4k by default.")
  long bs = 4096;

  @Option(names = "--iodepth", paramLabel = "N", description = "Requests in flight; 1 by default.")
  int iodepth = 1;

  @Option(names = "--numjobs", paramLabel = "N", description = "Jobs at once; 1 by default.")
  int numjobs = 1;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes each job transfers, and length of the area; the whole disk by default.")
  long size;

  @Option(
      names = "--offset",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Where the area begins.")
  long offset;

  @Option(
      names = "--runtime",
      paramLabel = "SECONDS",
      converter = FioWords.Seconds.class,
      description = "End after this time, also when not everything was transferred.")
  long runtimeMs;

  @Option(names = "--time_based", description = "Go on until --runtime has passed.")
  boolean timeBased;

  @Option(
      names = "--verify",
      paramLabel = "METHOD",
      converter = FioWords.Verify.class,
      completionCandidates = FioWords.Verify.class,
      description = "crc32c: every block carries its identity and is checked. none (default).")
  String verify = "none";

  @Option(
      names = "--rwmixread",
      paramLabel = "PERCENT",
      description = "Share of reads in randrw; 50 by default.")
  int rwmixread = 50;

  @Option(names = "--randseed", paramLabel = "N", description = "Seed; 1 by default.")
  long randseed = 1;

  @Option(
      names = "--direct",
      paramLabel = "BOOL",
      converter = FioWords.Direct.class,
      completionCandidates = FioWords.Direct.class,
      description =
          "1 (default): past the page cache. 0: buffered, one request in flight for each job.")
  int direct = 1; // a boolean would be a flag without a value

  @Option(
      names = {"--iomem", "--mem"},
      paramLabel = "MEMORY",
      converter = FioWords.Iomem.class,
      completionCandidates = FioWords.Iomem.class,
      description =
          "Where the I/O buffers lie: malloc (default), or reachable: where the device reaches them"
              + " without a copy, as far as there is room.")
  IoMemory iomem = IoMemory.MALLOC;

  @Option(names = "--name", paramLabel = "NAME", description = "Accepted, and ignored.")
  @Nullable String name;

  @Option(
      names = "--output-format",
      paramLabel = "FORMAT",
      converter = FioWords.Format.class,
      completionCandidates = FioWords.Format.class,
      description = "normal (default) or json.")
  String format = "normal";

  @Option(
      names = "--strategy",
      paramLabel = "STRATEGY",
      description = "Use this DMA strategy during the run.")
  @Nullable String strategy;

  @Option(
      names = "--extents",
      paramLabel = "KIND",
      converter = Words.Extents.class,
      completionCandidates = Words.Extents.class,
      description = "With --strategy: where its bounce memory shall lie, ram, device or iova.")
  @Nullable ExtentKind extents;

  @Option(
      names = "--backend",
      paramLabel = "memory",
      converter = FioWords.Memory.class,
      completionCandidates = FioWords.Memory.class,
      description = "memory: run on a scratch disk in memory, of --size (64m by default).")
  @Nullable String backend;

  private final ShellServices services;

  FioCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public boolean wantsJson() {
    return super.wantsJson() || format.equals("json");
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    check();
    final FioRun run = new FioRun(services, strategy, extents, progress);
    if (backend != null) {
      return run.onScratch(offset + (size == 0 ? FioRun.SCRATCH_BYTES : size), this::job);
    }
    final DeviceNames names =
        new DeviceDirectory(services).findOrOnly(device, found -> found.disk() != null);
    return run.on(names, job(names.requireDisk()));
  }

  private FioJob job(final String disk) {
    return new FioJob(
        disk,
        rw,
        (int) bs,
        iodepth,
        numjobs,
        offset,
        size,
        runtimeMs,
        timeBased,
        verify.equals("crc32c"),
        rwmixread,
        randseed,
        direct == 1,
        iomem);
  }

  private void check() {
    require(
        backend == null || device == null,
        "--backend=memory makes a disk of its own: leave" + " out --device");
    require(!timeBased || runtimeMs > 0, "--time_based needs --runtime=SECONDS");
    require(
        direct == 1 || iomem == IoMemory.MALLOC,
        "--iomem=reachable needs --direct=1: buffered I/O does not hand them to the device");
    require(extents == null || strategy != null, "--extents needs --strategy");
    require(
        bs > 0 && bs % 512 == 0 && bs <= MOST_BYTES,
        "--bs must be a multiple of 512, at most 1g, but is " + bs);
    require(iodepth >= 1 && iodepth <= 1024, "--iodepth must be 1..1024, but is " + iodepth);
    require(numjobs >= 1 && numjobs <= 64, "--numjobs must be 1..64, but is " + numjobs);
    require(rwmixread >= 0 && rwmixread <= 100, "--rwmixread must be 0..100, but is " + rwmixread);
  }

  private static void require(final boolean right, final String message) {
    if (!right) {
      throw new UsageException("carom:fio: " + message);
    }
  }
}
