package io.carom.guest.shim.fio;

import io.carom.guest.BlockOp;

/**
 * What one job of a phase does.
 *
 * @param name thread name
 * @param random order of the blocks
 * @param readPercent 100 reads only, 0 changes only
 * @param change what it does with blocks that it does not read: WRITE or DISCARD
 * @param verify whether blocks are identified and checked
 * @param repair whether sectors that cannot be verified may be written
 * @param filter which blocks
 * @param since for {@link Filter#WRITTEN}: the first version that counts
 * @param blockSectors sectors per block
 * @param firstSector start of the area
 * @param sectors length of the area; its last block may be shorter than the others
 * @param blocks how many blocks to visit
 * @param iodepth requests in flight
 * @param runtimeNs longest run
 * @param seed of order, mix and contents
 */
record JobSpec(
    String name,
    boolean random,
    int readPercent,
    BlockOp change,
    boolean verify,
    boolean repair,
    Filter filter,
    long since,
    int blockSectors,
    long firstSector,
    long sectors,
    long blocks,
    int iodepth,
    long runtimeNs,
    long seed) {
  /** Which blocks of the area a job works on. */
  enum Filter {
    /** All. */
    ALL,
    /** Those with a sector that cannot be verified yet. */
    UNVERIFIABLE,
    /** Those that can be verified and were written or discarded since a version. */
    WRITTEN
  }

  /** Blocks of the area, the last one perhaps short. */
  long areaBlocks() {
    return (sectors + blockSectors - 1) / blockSectors; // a disk is far below 2^63 sectors
  }

  /** Whether blocks are claimed: all but unverified reads change the ledger or rely on it. */
  boolean claims() {
    return verify || readPercent < 100;
  }
}
