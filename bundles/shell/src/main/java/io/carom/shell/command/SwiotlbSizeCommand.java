package io.carom.shell.command;

import io.carom.shell.service.ShellServices;
import io.carom.shell.sizing.DeviceLoad;
import io.carom.shell.sizing.RegionSizer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "swiotlb:size",
    description = "Work out how large a device's region should be for its queues and requests.",
    footer = {
      "",
      "Two answers: in slots of 2 KiB, as Linux's swiotlb hands bounce memory out, and in pages,"
          + " as",
      "a driver of the VIRTIO_F_DMB proposal does. Sizes take k, m and g.",
      "",
      "Examples:",
      "  swiotlb:size --queues 4 --queue-size 256 --depth 32 --bs 128k",
      "  swiotlb:size --bs 4k --min-align 4k"
    })
final class SwiotlbSizeCommand extends ShellCommand {
  private static final int MOST_QUEUES = 64;
  private static final int MOST_ENTRIES = 32768;
  private static final long MOST_BYTES = 1L << 30;
  private static final long MOST_ALIGN = 128L << 10;

  @Option(names = "--queues", paramLabel = "N", description = "Queues; 1 by default.")
  int queues = 1;

  @Option(
      names = "--queue-size",
      paramLabel = "ENTRIES",
      description = "Ring entries of each queue; 256 by default.")
  int queueSize = 256;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description = "Requests in flight on each queue; as many as it has entries by default.")
  @Nullable Integer depth;

  @Option(
      names = "--bs",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Largest request; 4k by default.")
  long bs = 4096;

  @Option(
      names = "--min-align",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description =
          "Keep the address bits below this, as NVMe does with 4k: min_align_mask plus one; 1 by"
              + " default.")
  long minAlign = 1;

  SwiotlbSizeCommand(final ShellServices services) {
    // a calculation: nothing is asked
  }

  @Override
  public Object run(final Consumer<String> progress) {
    require(
        queues >= 1 && queues <= MOST_QUEUES,
        "--queues must be 1.." + MOST_QUEUES + ", but is " + queues);
    require(
        queueSize >= 1 && queueSize <= MOST_ENTRIES && Integer.bitCount(queueSize) == 1,
        "--queue-size must be a power of two of at most " + MOST_ENTRIES + ", but is " + queueSize);
    final int inFlight = depth == null ? queueSize : depth;
    require(
        inFlight >= 1 && inFlight <= queueSize,
        "--depth must be 1.."
            + queueSize
            + ", the entries of a queue (--queue-size), but is "
            + inFlight);
    require(bs >= 1 && bs <= MOST_BYTES, "--bs must be 1.." + MOST_BYTES + " (1g), but is " + bs);
    require(
        minAlign >= 1 && minAlign <= MOST_ALIGN && Long.bitCount(minAlign) == 1,
        "--min-align must be a power of two of at most 128k, but is " + minAlign);
    return RegionSizer.size(new DeviceLoad(queues, queueSize, inFlight, bs, minAlign));
  }

  private static void require(final boolean right, final String message) {
    if (!right) {
      throw new UsageException("swiotlb:size: " + message);
    }
  }
}
