package io.carom.guest.shim.block;

import io.carom.guest.BlockOp;

/**
 * What a disk can do.
 *
 * @param segmentBytes most bytes of one part of a request, a multiple of 512
 * @param readOnly whether writes are refused
 * @param flush whether there is a write cache that FLUSH empties
 * @param discardBytes most bytes of one part of a DISCARD, a multiple of 512; 0 without DISCARD
 * @param zeroesBytes most bytes of one part of a WRITE_ZEROES, a multiple of 512; 0 without
 */
record DiskLimits(
    int segmentBytes, boolean readOnly, boolean flush, int discardBytes, int zeroesBytes) {
  static final DiskLimits NONE = new DiskLimits(Integer.MAX_VALUE & -512, false, false, 0, 0);

  /** Most bytes of one part of a request of a kind. */
  int most(final BlockOp op) {
    return switch (op) {
      case DISCARD -> discardBytes;
      case WRITE_ZEROES -> zeroesBytes;
      case READ, WRITE, FLUSH -> segmentBytes;
    };
  }
}
