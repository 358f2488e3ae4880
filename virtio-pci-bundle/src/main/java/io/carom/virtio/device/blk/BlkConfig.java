package io.carom.virtio.device.blk;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.device.type.ConfigSpace;

/** Fills in a block device's configuration structure (virtio 1.4, section Block Device). */
final class BlkConfig {
  /** Most sectors of one range that is discarded or zeroed: 4 MiB, so that none takes long. */
  static final int RANGE_SECTORS = 8192;

  /** Most ranges of one request. */
  static final int RANGES = 16;

  private static final int SEGMENTS = 30;

  /** Descriptors of a request besides its data: header and status. */
  private static final int OVERHEAD = 2;

  private static final int HEADS = 16;
  private static final int TRACK_SECTORS = 63;
  private static final long MOST_CYLINDERS = 0xffff;

  /** Host memory and files are kept in pages of 8 sectors. */
  private static final int PAGE_EXP = 3;

  private static final int PAGE_SECTORS = 1 << PAGE_EXP;

  /** Sectors beyond which larger requests are hardly cheaper: 64 KiB. */
  private static final int BEST_SECTORS = 128;

  private BlkConfig() {}

  static ConfigSpace make(final BlkOptions options, final long bytes) {
    final ConfigSpace config = new ConfigSpace(BlkDescriptor.CONFIG_SIZE);
    config.putInt(BlkDescriptor.CONFIG_SIZE_MAX, options.sizeMax());
    // a chain must not be longer than its queue
    config.putInt(
        BlkDescriptor.CONFIG_SEG_MAX, Math.clamp(options.queueSize() - OVERHEAD, 1, SEGMENTS));
    config.putInt(BlkDescriptor.CONFIG_BLK_SIZE, BlkDescriptor.SECTOR);
    config.put(BlkDescriptor.CONFIG_PHYSICAL_BLOCK_EXP, new byte[] {PAGE_EXP, 0});
    config.putShort(BlkDescriptor.CONFIG_MIN_IO_SIZE, PAGE_SECTORS);
    config.putInt(BlkDescriptor.CONFIG_OPT_IO_SIZE, BEST_SECTORS);
    config.putShort(BlkDescriptor.CONFIG_NUM_QUEUES, options.queues());
    if (!options.readOnly()) {
      ranges(config);
    }
    writeback(config, options.writeCache());
    capacity(config, bytes);
    return config;
  }

  private static void ranges(final ConfigSpace config) {
    config.putInt(BlkDescriptor.CONFIG_MAX_DISCARD_SECTORS, RANGE_SECTORS);
    config.putInt(BlkDescriptor.CONFIG_MAX_DISCARD_SEG, RANGES);
    config.putInt(BlkDescriptor.CONFIG_DISCARD_ALIGNMENT, PAGE_SECTORS);
    config.putInt(BlkDescriptor.CONFIG_MAX_ZEROES_SECTORS, RANGE_SECTORS);
    config.putInt(BlkDescriptor.CONFIG_MAX_ZEROES_SEG, RANGES);
    config.put(BlkDescriptor.CONFIG_ZEROES_MAY_UNMAP, new byte[] {1});
  }

  /** The capacity, and a geometry that comes as near to it as one can. */
  static void capacity(final ConfigSpace config, final long bytes) {
    final long sectors = bytes / BlkDescriptor.SECTOR;
    final long cylinders = Math.min(MOST_CYLINDERS, sectors / (HEADS * TRACK_SECTORS));
    config.putLong(BlkDescriptor.CONFIG_CAPACITY, sectors);
    config.putShort(BlkDescriptor.CONFIG_CYLINDERS, (int) cylinders);
    config.put(BlkDescriptor.CONFIG_HEADS, new byte[] {HEADS, TRACK_SECTORS});
  }

  static void writeback(final ConfigSpace config, final boolean on) {
    config.put(BlkDescriptor.CONFIG_WRITEBACK, new byte[] {(byte) (on ? 1 : 0)});
  }
}
