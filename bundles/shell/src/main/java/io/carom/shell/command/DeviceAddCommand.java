package io.carom.shell.command;

import io.carom.guest.BlockDevice;
import io.carom.shell.result.DeviceAdded;
import io.carom.shell.service.Disks;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "device:add",
    description = "Plug a virtio device and wait until the guest drives it.")
final class DeviceAddCommand extends ShellCommand {
  @Parameters(
      index = "0",
      paramLabel = "TYPE",
      converter = Words.Type.class,
      completionCandidates = Words.Type.class,
      description = "Kind of device: blk.")
  String type = "";

  @Option(names = "--file", paramLabel = "FILE", description = "The disk is this file.")
  @Nullable Path file;

  @Option(
      names = "--backend",
      paramLabel = "BACKEND",
      converter = Words.Backend.class,
      completionCandidates = Words.Backend.class,
      description = "file (with --file) or memory (with --size).")
  @Nullable String backend;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of the disk, for instance 64m; by default those of the file.")
  long size;

  @Option(names = "--name", paramLabel = "NAME", description = "Name on the host and disk id.")
  @Nullable String name;

  @Option(
      names = "--policy",
      paramLabel = "POLICY",
      converter = Words.Swiotlb.class,
      completionCandidates = Words.Swiotlb.class,
      description = "What it does about its SWIOTLB region: none, hint (default), compat, strict.")
  SwiotlbPolicy policy = SwiotlbPolicy.HINT;

  @Option(names = "--queues", paramLabel = "N", description = "Request queues; 1 by default.")
  int queues = 1;

  @Option(
      names = "--queue-size",
      paramLabel = "N",
      description = "Entries of a queue, a power of two; 256 by default.")
  int queueSize = Disks.QUEUE_SIZE;

  @Option(
      names = "--region",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of the SWIOTLB region; 16m by default.")
  long region = Disks.REGION_BYTES;

  @Option(names = "--read-only", description = "The guest may only read.")
  boolean readOnly;

  @Option(
      names = "--slot",
      paramLabel = "SLOT",
      description = "PCI slot such as 00:04.0; the first free one by default.")
  @Nullable String slot;

  private final ShellServices services;

  DeviceAddCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    final BlkSpec spec = spec();
    final BlockDevice disk = new Disks(services).attach(spec);
    return new DeviceAdded(
        spec.name(), disk.name(), disk.address(), disk.capacityBytes(), spec.policy());
  }

  private BlkSpec spec() {
    final String kind = backend != null ? backend : file != null ? "file" : "";
    if (kind.isEmpty()) {
      throw new UsageException(
          "device:add: say what the disk is: --file FILE, or --backend memory --size SIZE");
    }
    if (kind.equals("file") == (file == null)) {
      throw new UsageException(
          file == null
              ? "device:add: --backend file needs --file FILE"
              : "device:add: --file contradicts --backend memory; leave one out");
    }
    if (file == null && size == 0) {
      throw new UsageException("device:add: a memory disk needs --size, for instance --size 64m");
    }
    return new BlkSpec(
        name == null ? freeName() : name,
        kind,
        file == null ? null : file.toAbsolutePath().toString(),
        size,
        readOnly,
        queues,
        queueSize,
        policy,
        region,
        slot);
  }

  private String freeName() {
    final List<String> taken =
        services.virtio().devices().stream().map(VirtioDeviceInfo::name).toList();
    int number = 0;
    while (taken.contains("disk" + number)) {
      number++;
    }
    return "disk" + number;
  }
}
