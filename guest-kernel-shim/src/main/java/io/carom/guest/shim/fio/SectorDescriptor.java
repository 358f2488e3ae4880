package io.carom.guest.shim.fio;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A sector that carries its own identity, little-endian.
 *
 * <pre>
 *   0 ┌──────────────────────────────┐
 *     │ magic                     64 │
 *   8 ├──────────────────────────────┤
 *     │ sector number             64 │ a misplaced sector names its home
 *  16 ├──────────────────────────────┤
 *     │ version                   64 │ a stale sector names its write; never used twice on a disk
 *  24 ├──────────────────────────────┤
 *     │ seed                      64 │
 *  32 ├──────────────────────────────┤
 *     │ payload             59 × 64  │ pattern[i] xor mix(seed, sector, version)
 * 504 ├──────────────────────────────┤
 *     │ crc32c of bytes 0..503    32 │ a torn sector has the head of one write and this of another
 * 508 ├──────────────────────────────┤
 *     │ its complement            32 │
 * 512 └──────────────────────────────┘
 * </pre>
 */
final class SectorDescriptor {
  /** Bytes of a sector. */
  static final int SECTOR_BYTES = 512;

  /** log2 of {@link #SECTOR_BYTES}. */
  static final int SECTOR_SHIFT = 9;

  /** Spells {@code CAROMSEC}. */
  static final long MAGIC = 0x4345_534D_4F52_4143L;

  static final int MAGIC_OFFSET = 0;
  static final int NUMBER_OFFSET = 8;
  static final int VERSION_OFFSET = 16;
  static final int SEED_OFFSET = 24;
  static final int PAYLOAD_OFFSET = 32;
  static final int CRC_OFFSET = 504;

  /** Bytes that the checksum covers. */
  static final int COVERED_BYTES = CRC_OFFSET;

  /** Versions are below this: three bits of a ledger entry say what kind it is. */
  static final long VERSION_LIMIT = 1L << 61;

  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private SectorDescriptor() {}
}
