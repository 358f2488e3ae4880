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
      "  swiotlb:size --bs 4k --min-align 4k",
      "  swiotlb:size --net --queues 8 --queue-size 256 --bs 64k"
    })
final class SwiotlbSizeCommand extends ShellCommand {
  private static final int MOST_QUEUES = 64;
  private static final int MOST_ENTRIES = 32768;
  private static final long MOST_BYTES = 1L << 30;
  private static final int MOST_SEGMENTS = 1024;
  private static final long PAGE = 4096;
  private static final long MOST_ALIGN = 128L << 10;

  @Option(
      names = "--queues",
      paramLabel = "N",
      description = "Queues, with --net pairs of a receive and a transmit queue; 1 by default.")
  int queues = 1;

  @Option(
      names = "--queue-size",
      paramLabel = "ENTRIES",
      description = "Ring entries of each queue; 256 by default.")
  int queueSize = 256;

  @Option(
      names = "--depth",
      paramLabel = "N",
      description = {
        "Requests in flight on each queue; as many as it has entries by default.",
        "With --net packets on each transmit queue; 1 by default, the least that goes on."
      })
  @Nullable Integer depth;

  @Option(
      names = "--bs",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description = "Largest request, with --net largest packet; 4k by default.")
  long bs = 4096;

  @Option(
      names = "--min-align",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      description =
          "Keep the address bits below this, as NVMe does with 4k: min_align_mask plus one; 1 by"
              + " default.")
  long minAlign = 1;

  @Option(
      names = "--segments",
      paramLabel = "N",
      description = {
        "Pieces that the data of a request lies in, each mapped by itself; 1 by default.",
        "With --net one piece for each page and one for the header by default, as a packet in"
            + " fragments has."
      })
  @Nullable Integer segments;

  @Option(
      names = "--direct",
      description = "Without indirect tables; else a request of several buffers takes one.")
  boolean direct;

  @Option(
      names = "--net",
      description =
          "A network device with mergeable receive buffers: every receive queue is full of pages"
              + " all the time.")
  boolean net;

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
    final int inFlight = depth == null ? net ? 1 : queueSize : depth;
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
    final int pieces = segments == null ? net ? fragments(bs) : 1 : segments;
    require(
        pieces >= 1 && pieces <= MOST_SEGMENTS && pieces <= bs,
        "--segments must be 1.."
            + Math.min(MOST_SEGMENTS, bs)
            + ", a byte of the request in each at least, but is "
            + pieces);
    return RegionSizer.size(
        new DeviceLoad(queues, queueSize, inFlight, bs, minAlign, pieces, !direct, net));
  }

  private static int fragments(final long bytes) {
    return (int) Math.min(Math.min(MOST_SEGMENTS, bytes), (bytes + PAGE - 1) / PAGE + 1);
  }

  private static void require(final boolean right, final String message) {
    if (!right) {
      throw new UsageException("swiotlb:size: " + message);
    }
  }
}
