package io.carom.guest.shim.fio;

import static io.carom.guest.shim.fio.SectorDescriptor.SECTOR_BYTES;

import io.carom.guest.BlockOp;
import io.carom.guest.shim.fio.DiskLedger.Kind;
import io.carom.guest.shim.fio.SectorCodec.Verdict;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Puts identities into blocks and checks them against the ledger, under the claim of the slot and
 * the lock of the job.
 *
 * <p>Sectors of a write or discard are UNCERTAIN from before it is submitted until it is
 * acknowledged, so one that ends in any other way, or never, leaves them so.
 */
final class BlockVerifier {
  private static final MemorySegment ZEROES =
      MemorySegment.ofArray(new byte[SECTOR_BYTES]).asReadOnly();

  private final String disk;
  private final JobSpec spec;
  private final DiskLedger ledger;
  private final JobStats stats;
  private final SectorCodec codec = new SectorCodec();
  private @Nullable String undescribed;

  BlockVerifier(
      final String disk, final JobSpec spec, final DiskLedger ledger, final JobStats stats) {
    this.disk = disk;
    this.spec = spec;
    this.ledger = ledger;
    this.stats = stats;
  }

  /** Why the job cannot go on: a sector of a read-only disk that nobody knows. */
  @Nullable String undescribed() {
    return undescribed;
  }

  /** Makes the slot a read of its block. */
  void prepareRead(final Slot slot) {
    slot.step = Slot.Step.READ;
    address(slot, BlockOp.READ, 0, slot.sectors);
  }

  /** Makes the slot a write of its block. */
  void prepareWrite(final Slot slot) {
    slot.step = Slot.Step.WRITE;
    address(slot, BlockOp.WRITE, 0, slot.sectors);
    if (spec.verify()) {
      identify(slot, 0, slot.sectors);
    } else {
      ledger.unknown(slot.sector, slot.sectors);
    }
  }

  /** Makes the slot a discard of its block. */
  void prepareTrim(final Slot slot) {
    slot.step = Slot.Step.TRIM;
    address(slot, BlockOp.DISCARD, 0, slot.sectors);
    if (spec.verify()) {
      slot.version = ledger.nextVersion();
      ledger.uncertain(slot.sector, slot.sectors);
    } else {
      ledger.unknown(slot.sector, slot.sectors);
    }
  }

  /** A write, repair or discard was acknowledged: its sectors hold what was written, or zero. */
  void acknowledged(final Slot slot) {
    if (!spec.verify()) {
      return;
    }
    final long first = slot.request.sector;
    final int count = slot.request.length / SECTOR_BYTES;
    for (int i = 0; i < count; i++) {
      if (slot.step == Slot.Step.TRIM) {
        ledger.zeroed(first + i, slot.version);
      } else {
        ledger.identified(first + i, slot.version);
      }
    }
  }

  /**
   * Checks a block that was read.
   *
   * @return whether it has sectors that must be written before they can be verified
   */
  boolean check(final Slot slot) {
    int right = 0;
    int wrong = -1;
    boolean unverifiable = false;
    for (int i = 0; i < slot.sectors; i++) {
      final long sector = slot.sector + i;
      switch (ledger.kind(sector)) {
        case IDENTIFIED, DESCRIBED, ZEROED -> {
          if (holds(slot, i, sector)) {
            right++;
          } else if (wrong < 0) {
            wrong = i;
          }
        }
        case UNKNOWN -> {
          if (learn(slot, i, sector)) {
            right++;
          } else {
            unverifiable = true;
          }
        }
        case UNCERTAIN -> unverifiable = true;
      }
    }
    stats.verified((long) right * SECTOR_BYTES);
    if (wrong >= 0) {
      stats.corrupt();
      if (stats.firstCorruption() == null) {
        stats.describeCorruption(describe(slot, wrong));
      }
    }
    slot.repaired = 0;
    return unverifiable && spec.repair();
  }

  private boolean holds(final Slot slot, final int index, final long sector) {
    final int offset = index * SECTOR_BYTES; // within the block
    final long value = ledger.value(sector);
    final Kind kind = ledger.kind(sector);
    if (kind == Kind.ZEROED) {
      return firstNonZero(slot, offset) < 0;
    }
    if (kind == Kind.DESCRIBED) {
      return (codec.checksum(slot.bytes, offset) & 0xFFFF_FFFFL) == value;
    }
    return codec.check(slot.memory, slot.bytes, offset, sector) == Verdict.VALID
        && codec.version() == value;
  }

  /** Index in the sector of its first byte that is not zero, or -1. */
  private static int firstNonZero(final Slot slot, final int offset) {
    return (int)
        MemorySegment.mismatch(
            slot.memory, offset, offset + SECTOR_BYTES, ZEROES, 0, SECTOR_BYTES); // within block
  }

  private boolean learn(final Slot slot, final int index, final long sector) {
    if (codec.check(slot.memory, slot.bytes, index * SECTOR_BYTES, sector) == Verdict.VALID) {
      ledger.identified(sector, codec.version());
      return true;
    }
    if (!spec.repair() && undescribed == null) {
      undescribed =
          disk
              + ": sector "
              + sector
              + " carries no identity and nobody described it; describe the disk's content, allow"
              + " writes to it, or run without verify";
    }
    return false;
  }

  /**
   * Makes the slot a write of the next run of sectors that cannot be verified.
   *
   * @return false when the block has none left
   */
  boolean prepareRepair(final Slot slot) {
    int from = slot.repaired;
    while (from < slot.sectors && !ledger.anyUnverifiable(slot.sector + from, 1)) {
      from++;
    }
    int to = from;
    while (to < slot.sectors && ledger.anyUnverifiable(slot.sector + to, 1)) {
      to++;
    }
    slot.repaired = to;
    if (from == to) {
      return false;
    }
    slot.step = Slot.Step.REPAIR;
    address(slot, BlockOp.WRITE, from, to - from);
    identify(slot, from, to - from);
    return true;
  }

  private void identify(final Slot slot, final int from, final int count) {
    slot.version = ledger.nextVersion();
    for (int i = from; i < from + count; i++) {
      codec.write(
          slot.memory, slot.bytes, i * SECTOR_BYTES, slot.sector + i, slot.version, spec.seed());
    }
    ledger.uncertain(slot.sector + from, count);
  }

  private static void address(final Slot slot, final BlockOp op, final int from, final int count) {
    slot.request.op = op;
    slot.request.sector = slot.sector + from;
    slot.request.buffer = slot.address + (long) from * SECTOR_BYTES; // within the buffer
    slot.request.length = count * SECTOR_BYTES; // at most 1 MiB
  }

  private String describe(final Slot slot, final int index) {
    final long sector = slot.sector + index;
    final long value = ledger.value(sector);
    final int offset = index * SECTOR_BYTES;
    final String where =
        disk + ": sector " + sector + " (of the block at sector " + slot.sector + ") ";
    if (ledger.kind(sector) == Kind.ZEROED) {
      final int at = firstNonZero(slot, offset);
      return where
          + "was discarded and is not zero: byte %d is 0x%02x"
              .formatted(at, slot.bytes.get(offset + at));
    }
    if (ledger.kind(sector) == Kind.DESCRIBED) {
      return where
          + "has crc32c 0x%08x, described with 0x%08x"
              .formatted(codec.checksum(slot.bytes, offset), value);
    }
    return where
        + switch (codec.check(slot.memory, slot.bytes, offset, sector)) {
          case VALID ->
              "is stale: holds version %d, last acknowledged is version %d"
                  .formatted(codec.version(), value);
          case MISPLACED -> "is misplaced: holds sector %d".formatted(codec.number());
          case DAMAGED -> "is damaged or torn: its crc32c is wrong";
          case FOREIGN -> "carries no identity; last acknowledged is version " + value;
        };
  }
}
