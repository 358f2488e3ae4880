package io.carom.virtio.device.blk;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;
import io.carom.virtio.VirtioIds;
import io.carom.virtio.device.queue.QueueHandler;
import io.carom.virtio.device.type.ConfigSpace;
import io.carom.virtio.device.type.DeviceType;
import io.carom.virtio.device.type.ErrorLog;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.LongAdder;

/** The block device (virtio 1.4, section Block Device) over a backend. */
public final class BlkDevice implements DeviceType {
  private static final int MASS_STORAGE = 0x010000;
  private static final int SEGMENTS = 30;

  /** Descriptors of a request besides its data: header and status. */
  private static final int OVERHEAD = 2;

  private final BlkBackend backend;
  private final boolean readOnly;
  private final int queues;
  private final int queueSize;
  private final ErrorLog errors;
  private final byte[] id;
  private final ConfigSpace config = new ConfigSpace(BlkDescriptor.CONFIG_SIZE);
  private final LongAdder requests = new LongAdder();

  /**
   * A device.
   *
   * @param name what GET_ID answers, its first 20 bytes
   * @param errors where failures of the backend are told
   */
  public BlkDevice(
      final String name,
      final BlkBackend backend,
      final boolean readOnly,
      final int queues,
      final int queueSize,
      final ErrorLog errors) {
    this.backend = backend;
    this.readOnly = readOnly;
    this.queues = queues;
    this.queueSize = queueSize;
    this.errors = errors;
    id = Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), BlkDescriptor.ID_BYTES);
    config.putLong(BlkDescriptor.CONFIG_CAPACITY, backend.size() / BlkDescriptor.SECTOR);
    // a chain must not be longer than its queue
    config.putInt(BlkDescriptor.CONFIG_SEG_MAX, Math.clamp(queueSize - OVERHEAD, 1, SEGMENTS));
    config.putInt(BlkDescriptor.CONFIG_BLK_SIZE, BlkDescriptor.SECTOR);
    config.putShort(BlkDescriptor.CONFIG_NUM_QUEUES, queues);
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
        | VirtioFeatures.BLK_BLK_SIZE
        | VirtioFeatures.BLK_FLUSH
        | (queues > 1 ? VirtioFeatures.BLK_MQ : 0)
        | (readOnly ? VirtioFeatures.BLK_RO : 0);
  }

  @Override
  public int queues() {
    return queues;
  }

  @Override
  public int queueSize() {
    return queueSize;
  }

  @Override
  public ConfigSpace config() {
    return config;
  }

  @Override
  public QueueHandler open(final int queue, final long accepted) {
    return new BlkQueue(this, backend, requests);
  }

  @Override
  public long requests() {
    return requests.sum();
  }

  @Override
  public String backend() {
    return backend.describe() + (readOnly ? ", read-only" : "");
  }

  @Override
  public void close() {
    backend.close();
  }

  boolean readOnly() {
    return readOnly;
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
