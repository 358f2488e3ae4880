package io.carom.shell.service;

import io.carom.guest.BlockDevice;
import io.carom.virtio.BlkSpec;
import io.carom.virtio.SwiotlbPolicy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Disks that are plugged until the guest has them, and taken out again. */
public final class Disks {
  /** Default size of a region. */
  public static final long REGION_BYTES = 16L << 20;

  /** Default number of entries of a queue. */
  public static final int QUEUE_SIZE = 256;

  private static final Duration APPEARS = Duration.ofSeconds(15);
  private static final Duration GOES = Duration.ofSeconds(10);
  private static final int SERIAL_BYTES = 20;

  private final ShellServices services;

  /** Over the services. */
  public Disks(final ShellServices services) {
    this.services = services;
  }

  /** A disk in memory, with defaults for the rest. */
  public static BlkSpec memory(
      final String name, final long sizeBytes, final SwiotlbPolicy policy) {
    return new BlkSpec(
        name, "memory", null, sizeBytes, false, 1, QUEUE_SIZE, policy, REGION_BYTES, null);
  }

  /** A disk on a file, with defaults for the rest. */
  public static BlkSpec file(
      final String name, final String file, final boolean readOnly, final SwiotlbPolicy policy) {
    return new BlkSpec(name, "file", file, 0, readOnly, 1, QUEUE_SIZE, policy, REGION_BYTES, null);
  }

  /**
   * Plugs a disk and waits until the guest has it.
   *
   * @throws IllegalArgumentException when the specification is refused; nothing was made then
   * @throws IllegalStateException when the guest does not take it up; it was taken out again
   */
  public BlockDevice attach(final BlkSpec spec) throws InterruptedException {
    return attach(spec, Map.of());
  }

  /**
   * As {@link #attach(BlkSpec)}, with properties of the configuration besides.
   *
   * @param more by name; none of those that the specification says
   */
  public BlockDevice attach(final BlkSpec spec, final Map<String, Object> more)
      throws InterruptedException {
    if (more.isEmpty()) {
      services.virtio().addBlk(spec);
    } else {
      final Map<String, Object> all = properties(spec);
      all.putAll(more);
      services.virtio().add("blk", all);
    }
    try {
      return await(spec.name());
    } catch (IllegalStateException e) {
      detach(spec.name());
      throw e;
    }
  }

  private static Map<String, Object> properties(final BlkSpec spec) {
    final Map<String, Object> properties = new LinkedHashMap<>();
    properties.put("name", spec.name());
    properties.put("backend", spec.backend());
    put(properties, "file", spec.file());
    properties.put("sizeBytes", spec.sizeBytes());
    properties.put("readOnly", spec.readOnly());
    properties.put("queues", spec.queues());
    properties.put("queueSize", spec.queueSize());
    properties.put("policy", spec.policy().name().toLowerCase(Locale.ROOT));
    properties.put("regionBytes", spec.regionBytes());
    put(properties, "slot", spec.slot());
    return properties;
  }

  private static void put(
      final Map<String, Object> properties, final String key, final @Nullable String value) {
    if (value != null) {
      properties.put(key, value);
    }
  }

  /** Waits until the guest has a usable disk of a name. */
  public BlockDevice await(final String name) throws InterruptedException {
    final long deadline = System.nanoTime() + APPEARS.toNanos();
    while (true) {
      final Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
      final BlockDevice disk = services.guest().awaitBlockDevice(serial(name), left).orElse(null);
      if (disk != null && disk.live()) {
        return disk;
      }
      if (left.isZero()) {
        throw new IllegalStateException(
            "the guest did not take up '"
                + name
                + "' within "
                + APPEARS.toSeconds()
                + " s; see guest:dmesg");
      }
      // there, but being reset or removed
      Thread.sleep(2);
    }
  }

  /** Takes a disk out, asking the guest first and by force when it does not answer. */
  public void detach(final String name) {
    if (!services.virtio().remove(name, GOES, false)) {
      services.virtio().remove(name, Duration.ZERO, true);
    }
  }

  /** The id string that a device of a name reports: 20 bytes at most. */
  public static String serial(final String name) {
    final byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    return bytes.length <= SERIAL_BYTES
        ? name
        : new String(Arrays.copyOf(bytes, SERIAL_BYTES), StandardCharsets.UTF_8);
  }
}
