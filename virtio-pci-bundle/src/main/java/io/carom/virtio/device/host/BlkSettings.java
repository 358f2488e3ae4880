package io.carom.virtio.device.host;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.RegionOptions;
import io.carom.virtio.SplitRingDescriptor;
import io.carom.virtio.SwiotlbPolicy;
import io.carom.virtio.device.region.RegionRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A block device's settings, checked: whatever is wrong is one line that names the value, the rule,
 * and the property to change.
 *
 * @param spec the settings; its size is the disk's real one
 * @param path the image, or null for memory
 */
record BlkSettings(BlkSpec spec, @Nullable Path path) {
  static final String FILE = "file";
  static final String MEMORY = "memory";
  static final int MAX_QUEUES = 64;

  private static final List<String> BACKENDS = List.of(FILE, MEMORY);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}");

  /** Reads a policy, in any case. */
  static SwiotlbPolicy policy(final String text) {
    return Properties.word("policy", text, SwiotlbPolicy.class);
  }

  /** Checks a device's name, of whatever type. */
  static void checkName(final String name) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "name='"
              + name
              + "' is not a device name: use 1 to 32 letters, digits, '.', '_'"
              + " or '-', the first a letter or digit");
    }
  }

  /** Checks everything that can be known before the device is made. */
  static BlkSettings check(final BlkSpec spec) {
    checkName(spec.name());
    checkQueues(spec);
    TransportSettings.checkSlot(spec.slot());
    RegionRules.check(
        RegionOptions.of(spec.policy(), spec.regionBytes()),
        spec.queues(),
        spec.queueSize(),
        spec.slot());
    if (spec.sizeBytes() < 0 || spec.sizeBytes() % BlkDescriptor.SECTOR != 0) {
      throw new IllegalArgumentException(
          "sizeBytes="
              + spec.sizeBytes()
              + " is not a multiple of "
              + BlkDescriptor.SECTOR
              + ": use "
              + wholeSectors(spec.sizeBytes()));
    }
    return switch (spec.backend()) {
      case FILE -> file(spec);
      case MEMORY -> memory(spec);
      default ->
          throw new IllegalArgumentException(
              "backend="
                  + spec.backend()
                  + " is unknown: use one of "
                  + String.join(", ", BACKENDS));
    };
  }

  private static long wholeSectors(final long size) {
    return Math.max(1, size / BlkDescriptor.SECTOR) * BlkDescriptor.SECTOR;
  }

  private static void checkQueues(final BlkSpec spec) {
    if (spec.queues() < 1 || spec.queues() > MAX_QUEUES) {
      throw new IllegalArgumentException("queues=" + spec.queues() + " is not in 1.." + MAX_QUEUES);
    }
    final int size = spec.queueSize();
    if (size < 1 || size > SplitRingDescriptor.MAX_SIZE || Integer.bitCount(size) != 1) {
      throw new IllegalArgumentException(
          "queueSize="
              + size
              + " is not a power of two in 1.."
              + SplitRingDescriptor.MAX_SIZE
              + ", such as 256");
    }
  }

  private static BlkSettings memory(final BlkSpec spec) {
    if (spec.sizeBytes() == 0) {
      throw new IllegalArgumentException(
          "sizeBytes=0: a disk with backend=memory needs a size, a multiple of "
              + BlkDescriptor.SECTOR);
    }
    return new BlkSettings(spec, null);
  }

  private static BlkSettings file(final BlkSpec spec) {
    final String text = spec.file();
    if (text == null || text.isEmpty()) {
      throw new IllegalArgumentException(
          "file is not set: backend=file needs the path of an image");
    }
    final Path path = path(text);
    if (!Files.exists(path)) {
      throw new IllegalArgumentException(
          "file=" + path + " does not exist: create the image, or set file to one");
    }
    if (!Files.isRegularFile(path)) {
      throw new IllegalArgumentException("file=" + path + " is not a regular file");
    }
    if (!Files.isReadable(path)) {
      throw new IllegalArgumentException("file=" + path + " cannot be read: check its permissions");
    }
    if (!spec.readOnly() && !Files.isWritable(path)) {
      throw new IllegalArgumentException(
          "file=" + path + " cannot be written: set readOnly=true, or change its permissions");
    }
    final long length = length(path);
    final long size = spec.sizeBytes() == 0 ? length : spec.sizeBytes();
    if (size > length) {
      throw new IllegalArgumentException(
          "sizeBytes="
              + size
              + " is larger than the "
              + length
              + " bytes of file="
              + path
              + ": extend the file, or lower sizeBytes (0 takes the file's size)");
    }
    if (size == 0 || size % BlkDescriptor.SECTOR != 0) {
      throw new IllegalArgumentException(
          "file="
              + path
              + " has "
              + length
              + " bytes, which is not a positive multiple of "
              + BlkDescriptor.SECTOR
              + ": resize the file"
              + (length < BlkDescriptor.SECTOR
                  ? ""
                  : ", or set sizeBytes=" + wholeSectors(length)));
    }
    return new BlkSettings(withSize(spec, size), path);
  }

  private static Path path(final String text) {
    try {
      return Path.of(text);
    } catch (final InvalidPathException e) {
      throw new IllegalArgumentException("file=" + text + " is not a path: " + e.getMessage(), e);
    }
  }

  private static long length(final Path path) {
    try {
      return Files.size(path);
    } catch (final IOException e) {
      throw new IllegalArgumentException("file=" + path + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static BlkSpec withSize(final BlkSpec spec, final long size) {
    return new BlkSpec(
        spec.name(),
        spec.backend(),
        spec.file(),
        size,
        spec.readOnly(),
        spec.queues(),
        spec.queueSize(),
        spec.policy(),
        spec.regionBytes(),
        spec.slot());
  }
}
