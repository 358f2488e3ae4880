package io.carom.virtio.device.host;

import io.carom.virtio.NetDescriptor;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.device.net.FrameCapture;
import io.carom.virtio.device.net.MacAddress;
import io.carom.virtio.device.net.NetOptions;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A network device's settings, checked: whatever is wrong is one line that names the value, the
 * rule, and the property to change.
 *
 * @param options of the device
 * @param segment name of the switch
 * @param capture absolute path of the capture file, or null
 * @param snapBytes bytes that are kept of a captured frame, 0 for all
 */
record NetSettings(NetOptions options, String segment, @Nullable Path capture, int snapBytes) {
  static final String DEFAULT_SEGMENT = "lan0";
  static final int DEFAULT_QUEUE_PAIRS = 1;
  static final int MOST_QUEUE_PAIRS = 8;
  static final int DEFAULT_QUEUE_SIZE = 256;
  static final int DEFAULT_MTU = 1500;

  private static final int LEAST_QUEUE_SIZE = 4;
  private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}");

  /** Reads and checks the properties of a component. */
  static NetSettings parse(final Map<String, Object> properties) {
    final Properties from = new Properties(properties);
    final String given = from.text("name");
    final String name = given == null ? "" : given;
    BlkSettings.checkName(name);
    final String mac = from.text("mac");
    final int queueSize =
        from.number(
            "queueSize", DEFAULT_QUEUE_SIZE, LEAST_QUEUE_SIZE, SplitRingDescriptor.MAX_SIZE);
    if (Integer.bitCount(queueSize) != 1) {
      throw new IllegalArgumentException(
          "queueSize=" + queueSize + " is not a power of two, such as " + DEFAULT_QUEUE_SIZE);
    }
    final NetOptions options =
        new NetOptions(
            name,
            mac == null ? MacAddress.of(name) : MacAddress.parse(mac),
            from.number("queuePairs", DEFAULT_QUEUE_PAIRS, 1, MOST_QUEUE_PAIRS),
            queueSize,
            from.number("mtu", DEFAULT_MTU, NetDescriptor.MIN_MTU, NetDescriptor.MAX_MTU),
            true);
    return new NetSettings(
        options,
        segment(from.text("segment")),
        capture(from.text("capture")),
        from.number("snapLength", 0, 0, FrameCapture.MOST_SNAP_BYTES));
  }

  private static String segment(final @Nullable String text) {
    final String segment = text == null ? DEFAULT_SEGMENT : text;
    if (!SEGMENT.matcher(segment).matches()) {
      throw new IllegalArgumentException(
          "segment='"
              + segment
              + "' is not a segment's name: use 1 to 32 letters, digits, '.', '_' or '-', the first"
              + " a letter or digit");
    }
    return segment;
  }

  private static @Nullable Path capture(final @Nullable String text) {
    if (text == null) {
      return null;
    }
    final Path path;
    try {
      path = Path.of(text).toAbsolutePath().normalize();
    } catch (final InvalidPathException e) {
      throw new IllegalArgumentException(
          "capture=" + text + " is not a path: " + e.getMessage(), e);
    }
    final Path folder = path.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "capture="
              + text
              + ": there is no folder "
              + folder
              + ": create it, or set another path");
    }
    if (Files.isDirectory(path)) {
      throw new IllegalArgumentException("capture=" + text + " is a folder: name a file in it");
    }
    return path;
  }

  /** Queues of the device. */
  int queues() {
    return NetDescriptor.controlQueue(options.queuePairs()) + 1;
  }
}
