package io.carom.virtio.device.blk;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceLink;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The block device (virtio 1.4, section Block Device) over a backend.
 *
 * <p><b>Write cache.</b> While it is on, a write is stable after the next FLUSH; while it is off,
 * or for a driver that has not accepted FLUSH, each write is made stable before it is completed. A
 * driver with CONFIG_WCE switches it by {@code writeback}, the only field that can be written; a
 * reset brings back how it began.
 *
 * <p><b>DISCARD and WRITE_ZEROES</b> both make sectors zero, so what was discarded reads as zero.
 * What one request may take is bounded, see {@link BlkConfig}. Neither is offered on a disk that is
 * read-only. GET_LIFETIME, SECURE_ERASE and zones are not offered.
 */
public final class BlkDevice implements DeviceType {
  private static final int MASS_STORAGE = 0x010000;
  private static final String WRITEBACK = "writeback";
  private static final String CAPACITY = "capacitySectors";

  private final BlkBackend backend;
  private final BlkOptions options;
  private final ErrorLog errors;
  private final byte[] id;
  private final ConfigSpace config;
  private final LongAdder requests = new LongAdder();
  private volatile @Nullable DeviceLink link;
  private volatile long accepted;
  private volatile boolean writeback;

  /** Whether each write is made stable at once: of the two above. */
  private volatile boolean through;

  /** A device with defaults for the rest. */
  public BlkDevice(
      final String name,
      final BlkBackend backend,
      final boolean readOnly,
      final int queues,
      final int queueSize,
      final ErrorLog errors) {
    this(name, backend, BlkOptions.of(readOnly, queues, queueSize), errors);
  }

  /**
   * A device.
   *
   * @param name what GET_ID answers, its first 20 bytes
   * @param errors where failures of the backend are told
   */
  public BlkDevice(
      final String name,
      final BlkBackend backend,
      final BlkOptions options,
      final ErrorLog errors) {
    this.backend = backend;
    this.options = options;
    this.errors = errors;
    id = Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), BlkDescriptor.ID_BYTES);
    config = BlkConfig.make(options, backend.size());
    writeback = options.writeCache();
  }

  @Override
  public int id() {
    return VirtioIds.TYPE_BLOCK;
  }

  @Override
  public String typeName() {
    return "blk";
  }

  @Override
  public int classCode() {
    return MASS_STORAGE;
  }

  @Override
  public long features() {
    return VirtioFeatures.BLK_SEG_MAX
        | VirtioFeatures.BLK_GEOMETRY
        | VirtioFeatures.BLK_BLK_SIZE
        | VirtioFeatures.BLK_FLUSH
        | VirtioFeatures.BLK_TOPOLOGY
        | VirtioFeatures.BLK_CONFIG_WCE
        | (options.sizeMax() > 0 ? VirtioFeatures.BLK_SIZE_MAX : 0)
        | (options.queues() > 1 ? VirtioFeatures.BLK_MQ : 0)
        | (options.readOnly()
            ? VirtioFeatures.BLK_RO
            : VirtioFeatures.BLK_DISCARD | VirtioFeatures.BLK_WRITE_ZEROES);
  }

  @Override
  public int queues() {
    return options.queues();
  }

  @Override
  public int queueSize() {
    return options.queueSize();
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public QueueHandler open(final int queue, final long features) {
    return new BlkQueue(this, backend, requests, features);
  }

  @Override
  public void plugged(final DeviceLink to) {
    link = to;
  }

  @Override
  public void unplugged() {
    link = null;
  }

  @Override
  public void negotiated(final long features) {
    accepted = features;
    settle();
    BlkConfig.capacity(config, backend.size()); // that of a kept structure may be another
  }

  @Override
  public void reset() {
    accepted = 0;
    writeback(options.writeCache());
  }

  /** Values other than 0 and 1 mean nothing, and nor does a write that reaches beyond the field. */
  @Override
  public void configWritten(final int offset, final int width, final long value) {
    if (offset == BlkDescriptor.CONFIG_WRITEBACK
        && width == 1
        && (value == 0 || value == 1)
        && (accepted & VirtioFeatures.BLK_CONFIG_WCE) != 0) {
      writeback(value == 1);
    }
  }

  private void writeback(final boolean on) {
    if (on != writeback) {
      writeback = on;
      BlkConfig.writeback(config, on);
    }
    settle();
  }

  private void settle() {
    through = !writeback || (accepted & VirtioFeatures.BLK_FLUSH) == 0;
  }

  /** A request has changed the disk, and is about to be completed. */
  void written() throws IOException {
    if (through) {
      backend.flush();
    }
  }

  /**
   * Changes the capacity, and tells the driver.
   *
   * @throws IllegalArgumentException with one line; it is as before then
   */
  public synchronized void resize(final long bytes) {
    if (bytes <= 0 || bytes % BlkDescriptor.SECTOR != 0) {
      throw new IllegalArgumentException(
          "sizeBytes=" + bytes + " is not a positive multiple of " + BlkDescriptor.SECTOR);
    }
    if (bytes == backend.size()) {
      return;
    }
    try {
      backend.resize(bytes);
    } catch (final IOException e) {
      throw new IllegalArgumentException("sizeBytes=" + bytes + ": " + e, e);
    }
    BlkConfig.capacity(config, bytes);
    final DeviceLink to = link;
    if (to != null) {
      to.configChanged();
    }
  }

  @Override
  public long requests() {
    return requests.sum();
  }

  @Override
  public String backend() {
    return backend.describe() + (options.readOnly() ? ", read-only" : "");
  }

  @Override
  public Map<String, String> save() {
    return Map.of(
        WRITEBACK,
        writeback ? "1" : "0",
        CAPACITY,
        Long.toString(backend.size() / BlkDescriptor.SECTOR));
  }

  @Override
  public void restore(final Map<String, String> saved) {
    final String capacity = Long.toString(backend.size() / BlkDescriptor.SECTOR);
    if (!saved.getOrDefault(CAPACITY, capacity).equals(capacity)) {
      throw new IllegalArgumentException(
          "saved "
              + CAPACITY
              + "="
              + saved.get(CAPACITY)
              + " is not the "
              + capacity
              + " of this disk: resize it first");
    }
    final String cache = saved.getOrDefault(WRITEBACK, options.writeCache() ? "1" : "0");
    if (!cache.equals("0") && !cache.equals("1")) {
      throw new IllegalArgumentException("saved " + WRITEBACK + "=" + cache + " is not 0 or 1");
    }
    writeback(cache.equals("1"));
  }

  /** The disk may have got another size meanwhile, which its driver is told of. */
  @Override
  public void resume(final Map<String, String> kept) {
    final Map<String, String> words = new HashMap<>(kept);
    words.remove(CAPACITY);
    restore(words);
  }

  @Override
  public void close() {
    backend.close();
  }

  boolean readOnly() {
    return options.readOnly();
  }

  byte[] idString() {
    return id;
  }

  /** Whether whole sectors from {@code sector} on are within the capacity. */
  boolean covers(final long sector, final long bytes) {
    final long capacity = backend.size() / BlkDescriptor.SECTOR;
    return bytes % BlkDescriptor.SECTOR == 0
        && sector >= 0 // one of 2^63 and more is negative here
        && sector <= capacity
        && bytes / BlkDescriptor.SECTOR <= capacity - sector;
  }

  /** A request failed in the backend: it is answered with an error, and told here. */
  void backendFailed(final Exception e) {
    errors.report("I/O error of " + backend.describe() + ": " + e);
  }
}
