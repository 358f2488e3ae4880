package io.carom.shell.command;

import io.carom.guest.BlockDevice;
import io.carom.shell.result.DeviceAdded;
import io.carom.shell.service.Disks;
import io.carom.shell.service.GuestDevices;
import io.carom.shell.service.ShellServices;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.VirtioDeviceInfo;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "device:add",
    description = "Plug a virtio device and wait until the guest drives it.")
final class DeviceAddCommand extends ShellCommand {
  private static final String BLK = "blk";

  /** What devices are called that were given no name. */
  private static final Map<String, String> PREFIXES =
      Map.of("console", "con", "net", "net", "rng", "rng");

  @Parameters(
      index = "0",
      paramLabel = "TYPE",
      converter = Words.Type.class,
      completionCandidates = Words.Type.class,
      description = "Kind of device: blk, console, net or rng.")
  String type = "";

  @Option(names = "--file", paramLabel = "FILE", description = "blk: the disk is this file.")
  @Nullable Path file;

  @Option(
      names = "--backend",
      paramLabel = "BACKEND",
      converter = Words.Backend.class,
      completionCandidates = Words.Backend.class,
      description = "blk: file (with --file) or memory (with --size).")
  @Nullable String backend;

  @Option(
      names = "--size",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "blk: bytes of the disk, for instance 64m; by default those of the file.")
  @Nullable Long size;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      description = "Name on the host, and the id of a disk.")
  @Nullable String name;

  @Option(
      names = "--policy",
      paramLabel = "POLICY",
      converter = Words.Swiotlb.class,
      completionCandidates = Words.Swiotlb.class,
      description = "What it does about its SWIOTLB region: none, hint (default), compat, strict.")
  SwiotlbPolicy policy = SwiotlbPolicy.HINT;

  @Option(names = "--queues", paramLabel = "N", description = "blk: request queues; 1 by default.")
  @Nullable Integer queues;

  @Option(
      names = "--queue-size",
      paramLabel = "N",
      description = "Entries of a queue, a power of two; 256 by default, 64 for console and rng.")
  @Nullable Integer queueSize;

  @Option(
      names = "--region",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Bytes of the SWIOTLB region; 16m by default.")
  long region = Disks.REGION_BYTES;

  @Option(names = "--read-only", description = "blk: the guest may only read.")
  boolean readOnly;

  @Option(
      names = "--slot",
      paramLabel = "SLOT",
      description = "PCI slot such as 00:04.0; the first free one by default.")
  @Nullable String slot;

  @Mixin BlkArguments blk = new BlkArguments();
  @Mixin ConsoleArguments console = new ConsoleArguments();
  @Mixin NetArguments net = new NetArguments();
  @Mixin RngArguments rng = new RngArguments();
  @Mixin TransportArguments transport = new TransportArguments();

  private final ShellServices services;

  DeviceAddCommand(final ShellServices services) {
    this.services = services;
  }

  @Override
  public Object run(final Consumer<String> progress) throws InterruptedException {
    checkOptions();
    if (type.equals(BLK)) {
      return addDisk();
    }
    final Map<String, Object> properties = new LinkedHashMap<>();
    final String given = name == null ? freeName(PREFIXES.getOrDefault(type, type)) : name;
    properties.put("name", given);
    properties.put("policy", policy.name().toLowerCase(Locale.ROOT));
    properties.put("regionBytes", region);
    if (queueSize != null) {
      properties.put("queueSize", queueSize);
    }
    if (slot != null) {
      properties.put("slot", slot);
    }
    properties.putAll(own().properties());
    properties.putAll(transport.properties());
    return new GuestDevices(services).attach(type, given, properties, policy);
  }

  /** The options of the type, which are the others' no business. */
  private GivenOptions own() {
    return switch (type) {
      case "console" -> console;
      case "net" -> net;
      case "rng" -> rng;
      default -> blk;
    };
  }

  /** An option of another type is a mistake, and not something to be passed over. */
  private void checkOptions() {
    for (final GivenOptions options : List.of(blk, console, net, rng)) {
      if (options != own() && options.first() != null) {
        throw misplaced(options.first());
      }
    }
    if (!type.equals(BLK)) {
      final @Nullable String disk =
          file != null
              ? "--file"
              : backend != null
                  ? "--backend"
                  : size != null
                      ? "--size"
                      : queues != null ? "--queues" : readOnly ? "--read-only" : null;
      if (disk != null) {
        throw misplaced(disk);
      }
    }
  }

  private UsageException misplaced(final String option) {
    return new UsageException(
        "device:add: "
            + option
            + " is none of "
            + type
            + "'s options; see device:add --help, where each says whose it is");
  }

  private DeviceAdded addDisk() throws InterruptedException {
    final BlkSpec spec = spec();
    final Map<String, Object> more = new LinkedHashMap<>(blk.properties());
    more.putAll(transport.properties());
    final BlockDevice disk = new Disks(services).attach(spec, more);
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
    final long bytes = size == null ? 0 : size;
    if (file == null && bytes == 0) {
      throw new UsageException("device:add: a memory disk needs --size, for instance --size 64m");
    }
    return new BlkSpec(
        name == null ? freeName("disk") : name,
        kind,
        file == null ? null : file.toAbsolutePath().toString(),
        bytes,
        readOnly,
        queues == null ? 1 : queues,
        queueSize == null ? Disks.QUEUE_SIZE : queueSize,
        policy,
        region,
        slot);
  }

  private String freeName(final String prefix) {
    final List<String> taken =
        services.virtio().devices().stream().map(VirtioDeviceInfo::name).toList();
    int number = 0;
    while (taken.contains(prefix + number)) {
      number++;
    }
    return prefix + number;
  }
}
