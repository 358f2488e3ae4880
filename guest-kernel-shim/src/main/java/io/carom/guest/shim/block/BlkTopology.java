package io.carom.guest.shim.block;

import io.carom.guest.BlockDevice;
import io.carom.guest.BlockLimits;
import io.carom.guest.shim.virtio.VirtioDevice;
import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.VirtioFeatures;

/** Reads what a block device says of itself; whatever it says is brought into sensible bounds. */
final class BlkTopology {
  private static final int MOST_EXPONENT = 16;
  private static final int MOST_RANGE_SECTORS = 1 << 20;

  private BlkTopology() {}

  /**
   * Whether writes need a FLUSH. With CONFIG_WCE the device says so; without it one that has FLUSH
   * is taken to have a cache (virtio 1.4, section Block Device / Device Initialization).
   */
  static boolean writeCache(final VirtioDevice device) {
    return device.has(VirtioFeatures.BLK_FLUSH)
        && (!device.has(VirtioFeatures.BLK_CONFIG_WCE)
            || config(device, BlkDescriptor.CONFIG_WRITEBACK, 1) != 0);
  }

  /** Most bytes of one range of DISCARD or WRITE_ZEROES, 0 without that feature. */
  static int rangeBytes(final VirtioDevice device, final long feature) {
    if (!device.has(feature)) {
      return 0;
    }
    final long sectors =
        config(
            device,
            feature == VirtioFeatures.BLK_DISCARD
                ? BlkDescriptor.CONFIG_MAX_DISCARD_SECTORS
                : BlkDescriptor.CONFIG_MAX_ZEROES_SECTORS,
            4);
    return (int) Math.min(sectors, MOST_RANGE_SECTORS) * BlkDescriptor.SECTOR; // at most 2^29
  }

  static BlockLimits limits(final VirtioDevice device, final DiskLimits of) {
    final long block = BlkDescriptor.SECTOR;
    final boolean told = device.has(VirtioFeatures.BLK_TOPOLOGY);
    final long exponent = told ? config(device, BlkDescriptor.CONFIG_PHYSICAL_BLOCK_EXP, 1) : 0;
    final long least = told ? config(device, BlkDescriptor.CONFIG_MIN_IO_SIZE, 2) : 1;
    final long best = told ? config(device, BlkDescriptor.CONFIG_OPT_IO_SIZE, 4) : 0;
    return new BlockLimits(
        (int) (block << Math.min(exponent, MOST_EXPONENT)),
        (int) (block * Math.max(1, least)), // a field of 16 bits
        block * best,
        of.discardBytes(),
        of.zeroesBytes(),
        of.flush());
  }

  private static long config(final VirtioDevice device, final int offset, final int width) {
    return device.transport().config(offset, width);
  }

  /** A line for people. */
  static String text(final BlockDevice disk) {
    final BlockLimits limits = disk.limits();
    return "["
        + disk.name()
        + "] "
        + limits.physicalBlockBytes()
        + "-byte physical blocks, write cache "
        + (limits.writeCache() ? "enabled" : "disabled")
        + (limits.maxDiscardBytes() > 0
            ? ", discard " + DiskSize.binary(limits.maxDiscardBytes())
            : "")
        + (limits.maxZeroesBytes() > 0
            ? ", write zeroes " + DiskSize.binary(limits.maxZeroesBytes())
            : "");
  }
}
