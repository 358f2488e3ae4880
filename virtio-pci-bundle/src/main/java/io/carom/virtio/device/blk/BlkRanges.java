package io.carom.virtio.device.blk;

import io.carom.virtio.BlkDescriptor;
import io.carom.virtio.device.queue.ChainCursor;
import java.io.IOException;

/**
 * The ranges of a DISCARD or WRITE_ZEROES request. All of them are read, once, and checked before
 * the first is touched. Either request makes its sectors zero: so what was discarded reads as zero.
 * One queue's.
 */
final class BlkRanges {
  private final BlkDevice device;
  private final BlkBackend backend;
  private final long[] sectors = new long[BlkConfig.RANGES];
  private final long[] lengths = new long[BlkConfig.RANGES];

  BlkRanges(final BlkDevice device, final BlkBackend backend) {
    this.device = device;
    this.backend = backend;
  }

  /**
   * Serves a request.
   *
   * @param ranges over what follows the header
   * @param writeZeroes else it is a DISCARD
   * @return the status
   */
  int serve(final ChainCursor ranges, final boolean writeZeroes) throws IOException {
    final long bytes = ranges.remaining();
    if (bytes == 0 || bytes % BlkDescriptor.RANGE_SIZE != 0 || device.readOnly()) {
      return BlkDescriptor.S_IOERR;
    }
    if (bytes / BlkDescriptor.RANGE_SIZE > BlkConfig.RANGES) {
      return BlkDescriptor.S_UNSUPP;
    }
    final int count = (int) (bytes / BlkDescriptor.RANGE_SIZE); // at most RANGES, just checked
    int status = BlkDescriptor.S_OK;
    for (int i = 0; i < count; i++) {
      sectors[i] = ranges.getLong();
      final long number = ranges.getInt() & 0xffff_ffffL;
      final int flags = ranges.getInt();
      lengths[i] = number * BlkDescriptor.SECTOR; // below 2^41
      status = worse(status, check(sectors[i], number, flags, writeZeroes));
    }
    if (status != BlkDescriptor.S_OK) {
      return status;
    }
    for (int i = 0; i < count; i++) {
      if (lengths[i] > 0) {
        backend.zero(sectors[i] * BlkDescriptor.SECTOR, lengths[i]);
      }
    }
    device.written();
    return BlkDescriptor.S_OK;
  }

  private int check(
      final long sector, final long number, final int flags, final boolean writeZeroes) {
    final int known = writeZeroes ? BlkDescriptor.RANGE_F_UNMAP : 0;
    if ((flags & ~known) != 0) {
      return BlkDescriptor.S_UNSUPP;
    }
    return number > BlkConfig.RANGE_SECTORS || !device.covers(sector, number * BlkDescriptor.SECTOR)
        ? BlkDescriptor.S_IOERR
        : BlkDescriptor.S_OK;
  }

  /** What is not understood outweighs what cannot be done. */
  private static int worse(final int one, final int other) {
    return Math.max(one, other); // OK, IOERR, UNSUPP count up
  }
}
