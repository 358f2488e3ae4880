package io.carom.guest.shim.fio;

import static io.carom.guest.shim.fio.SectorDescriptor.COVERED_BYTES;
import static io.carom.guest.shim.fio.SectorDescriptor.CRC_OFFSET;
import static io.carom.guest.shim.fio.SectorDescriptor.LONG;
import static io.carom.guest.shim.fio.SectorDescriptor.MAGIC;
import static io.carom.guest.shim.fio.SectorDescriptor.MAGIC_OFFSET;
import static io.carom.guest.shim.fio.SectorDescriptor.NUMBER_OFFSET;
import static io.carom.guest.shim.fio.SectorDescriptor.PAYLOAD_OFFSET;
import static io.carom.guest.shim.fio.SectorDescriptor.SECTOR_BYTES;
import static io.carom.guest.shim.fio.SectorDescriptor.SEED_OFFSET;
import static io.carom.guest.shim.fio.SectorDescriptor.VERSION_LIMIT;
import static io.carom.guest.shim.fio.SectorDescriptor.VERSION_OFFSET;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Writes and reads identities of sectors. For one thread at a time; allocates nothing.
 *
 * <p>The payload is one random word per position, xored with one word that depends on seed, sector
 * and version. So every eight bytes of a sector differ from the same eight bytes of any other
 * sector and of any other write, and still it is generated at the speed of a copy.
 */
final class SectorCodec {
  private static final int WORDS = COVERED_BYTES / Long.BYTES;
  private static final int PAYLOAD_WORD = PAYLOAD_OFFSET / Long.BYTES;
  private static final long[] PATTERN = pattern();

  private final CRC32C crc = new CRC32C();
  private final long[] image = new long[WORDS];
  private long number;
  private long version;

  private static long[] pattern() {
    final long[] words = new long[WORDS];
    long state = MAGIC;
    for (int i = PAYLOAD_WORD; i < words.length; i++) {
      state += Mix.STEP;
      words[i] = Mix.mix(state);
    }
    return words;
  }

  /** What the bytes of a sector say about themselves. */
  enum Verdict {
    /** An intact identity of the sector that was asked for. */
    VALID,
    /** An intact identity of another sector: {@link #number()}. */
    MISPLACED,
    /** An identity whose checksum is wrong: damaged or torn. */
    DAMAGED,
    /** Not a sector that carries an identity. */
    FOREIGN
  }

  /**
   * Writes an identified sector.
   *
   * @param memory where, and {@code bytes} a view of the same memory
   * @param offset of the sector in both
   */
  void write(
      final MemorySegment memory,
      final ByteBuffer bytes,
      final int offset,
      final long sector,
      final long writeVersion,
      final long seed) {
    final long base = Mix.mix(Mix.mix(seed, sector), writeVersion);
    final long[] words = image;
    words[MAGIC_OFFSET / Long.BYTES] = MAGIC;
    words[NUMBER_OFFSET / Long.BYTES] = sector;
    words[VERSION_OFFSET / Long.BYTES] = writeVersion;
    words[SEED_OFFSET / Long.BYTES] = seed;
    for (int i = PAYLOAD_WORD; i < WORDS; i++) {
      words[i] = PATTERN[i] ^ base;
    }
    MemorySegment.copy(words, 0, memory, LONG, offset, WORDS);
    memory.set(LONG, offset + CRC_OFFSET, trailer(crc(bytes, offset, COVERED_BYTES)));
  }

  /** Judges a sector; then {@link #number()} and {@link #version()} are what it says. */
  Verdict check(
      final MemorySegment memory, final ByteBuffer bytes, final int offset, final long sector) {
    if (memory.get(LONG, offset + MAGIC_OFFSET) != MAGIC) {
      return Verdict.FOREIGN;
    }
    number = memory.get(LONG, offset + NUMBER_OFFSET);
    version = memory.get(LONG, offset + VERSION_OFFSET);
    final long trailer = memory.get(LONG, offset + CRC_OFFSET);
    if (trailer != trailer(crc(bytes, offset, COVERED_BYTES))
        || Long.compareUnsigned(version, VERSION_LIMIT) >= 0) {
      return Verdict.DAMAGED;
    }
    return number == sector ? Verdict.VALID : Verdict.MISPLACED;
  }

  /** The checksum of a whole sector of foreign content. */
  int checksum(final ByteBuffer bytes, final int offset) {
    return crc(bytes, offset, SECTOR_BYTES);
  }

  /** The sector number that the sector checked last carries. */
  long number() {
    return number;
  }

  /** The version that the sector checked last carries. */
  long version() {
    return version;
  }

  private int crc(final ByteBuffer bytes, final int offset, final int length) {
    crc.reset();
    bytes.limit(offset + length).position(offset); // within the buffer, whose size is an int
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static long trailer(final int checksum) {
    return (checksum & 0xFFFF_FFFFL) | ((long) ~checksum << 32);
  }
}
