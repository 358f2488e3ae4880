package io.carom.guest.shim.fio;

import static io.carom.guest.shim.fio.SectorDescriptor.VERSION_LIMIT;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * What was last acknowledged for each sector of a disk, and which sectors a request is on its way
 * to.
 *
 * <p>Protocol: a request claims its sectors before it looks at their entries, and releases them
 * after it has brought the entries up to date. A claim is one bit per sector; all bits of a request
 * are set or none, in ascending order, so of two requests that overlap one gets through. The
 * compare-and-set of a claim acquires and the clearing of the bit releases, so entries are plain
 * memory that belongs to the holder of the claim. Whoever reads an entry without a claim gets a
 * hint.
 *
 * <p>A request that was lost may still reach the disk: its claim stays until it ends, its sectors
 * are <em>abandoned</em>, and others pass them by.
 */
final class DiskLedger {
  /** What an entry says of its sector. */
  enum Kind {
    /** Nobody has told its content yet. */
    UNKNOWN,
    /** Holds the identity with the entry's version. */
    IDENTIFIED,
    /** Holds foreign bytes with the entry's CRC32C. */
    DESCRIBED,
    /** Holds zeroes since the discard with the entry's version. */
    ZEROED,
    /** A write or discard did not end well: holds the old content or the new one. */
    UNCERTAIN
  }

  private record Range(long first, int count) {}

  private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);
  private static final int KIND_SHIFT = 61;
  private static final int CHUNK_SHIFT = 13;
  private static final int CHUNK_SECTORS = 1 << CHUNK_SHIFT;
  private static final long UNCERTAIN_ENTRY = (long) Kind.UNCERTAIN.ordinal() << KIND_SHIFT;
  private static final Kind[] KINDS = Kind.values();

  private final long sectors;
  private final AtomicReferenceArray<Chunk> chunks;
  private final AtomicLong versions;
  private final List<Range> abandoned = new CopyOnWriteArrayList<>();
  private int users;

  /** Made when first touched: a large disk costs what was used of it. */
  private static final class Chunk {
    final long[] entries = new long[CHUNK_SECTORS];
    final long[] claims = new long[CHUNK_SECTORS / Long.SIZE];
  }

  /**
   * An empty ledger.
   *
   * @param sectors sectors of the disk
   * @param firstVersion version of its first write
   */
  DiskLedger(final long sectors, final long firstVersion) {
    this.sectors = sectors;
    this.chunks = new AtomicReferenceArray<>((int) ((sectors + CHUNK_SECTORS - 1) >>> CHUNK_SHIFT));
    this.versions = new AtomicLong(firstVersion);
  }

  /** Sectors of the disk. */
  long sectors() {
    return sectors;
  }

  /** A version that no write to this disk has had. */
  long nextVersion() {
    return versions.getAndIncrement(); // starts far below VERSION_LIMIT, and 2^60 writes are far
  }

  /** The version that the next write will have. */
  long peekVersion() {
    return versions.get();
  }

  /** A workload begins to use the ledger. */
  synchronized void enter() {
    users++;
  }

  /** A workload has ended. */
  synchronized void exit() {
    users--;
  }

  /**
   * Runs something that changes entries without claims.
   *
   * @return false when a workload is using the ledger; nothing was run then
   */
  synchronized boolean whenIdle(final Runnable change) {
    if (users != 0) {
      return false;
    }
    change.run();
    return true;
  }

  /** Forgets all entries. Claims of lost requests stay. For {@link #whenIdle}. */
  void clear() {
    for (int i = 0; i < chunks.length(); i++) {
      final Chunk chunk = chunks.get(i);
      if (chunk != null) {
        Arrays.fill(chunk.entries, 0L);
      }
    }
  }

  /** Claims all sectors of a run, or none. */
  boolean tryClaim(final long first, final int count) {
    final long end = first + count; // within the disk, so no overflow
    long sector = first;
    while (sector < end) {
      final int bit = (int) sector & (Long.SIZE - 1);
      final int span = (int) Math.min(Long.SIZE - bit, end - sector);
      if (!tryClaimWord(sector, mask(bit, span))) {
        release(first, (int) (sector - first));
        return false;
      }
      sector += span;
    }
    return true;
  }

  private boolean tryClaimWord(final long sector, final long mask) {
    final long[] claims = chunk(sector).claims;
    final int index = claimIndex(sector);
    while (true) {
      final long seen = (long) WORDS.getOpaque(claims, index);
      if ((seen & mask) != 0) {
        return false;
      }
      if (WORDS.weakCompareAndSetAcquire(claims, index, seen, seen | mask)) {
        return true;
      }
    }
  }

  /** Releases claimed sectors. */
  void release(final long first, final int count) {
    final long end = first + count; // within the disk, so no overflow
    long sector = first;
    while (sector < end) {
      final int bit = (int) sector & (Long.SIZE - 1);
      final int span = (int) Math.min(Long.SIZE - bit, end - sector);
      final long clear = ~mask(bit, span);
      final long unused =
          (long) WORDS.getAndBitwiseAndRelease(chunk(sector).claims, claimIndex(sector), clear);
      assert (unused | clear) == -1L : "released a sector that was not claimed";
      sector += span;
    }
  }

  private static long mask(final int bit, final int span) {
    return (-1L >>> (Long.SIZE - span)) << bit;
  }

  private static int claimIndex(final long sector) {
    return ((int) sector & (CHUNK_SECTORS - 1)) / Long.SIZE;
  }

  /** Leaves the claim of a lost request in place until {@link #recover}. */
  void abandon(final long first, final int count) {
    abandoned.add(new Range(first, count));
  }

  /** The request was not lost after all, and releases its claim itself. */
  void keep(final long first, final int count) {
    abandoned.remove(new Range(first, count));
  }

  /** A lost request has ended after all: releases its claim. */
  void recover(final long first, final int count) {
    if (abandoned.remove(new Range(first, count))) {
      release(first, count);
    }
  }

  /** Whether a lost request holds one of the sectors. */
  boolean isAbandoned(final long first, final int count) {
    if (abandoned.isEmpty()) {
      return false;
    }
    for (final Range range : abandoned) {
      // both ends lie within the disk, so no sum overflows
      if (first < range.first + range.count && range.first < first + count) {
        return true;
      }
    }
    return false;
  }

  /** What is known of a sector. */
  Kind kind(final long sector) {
    return KINDS[(int) (entry(sector) >>> KIND_SHIFT)];
  }

  /** The version of an identified or zeroed sector, or the checksum of a described one. */
  long value(final long sector) {
    return entry(sector) & (VERSION_LIMIT - 1);
  }

  /** The sector holds the identity with a version. */
  void identified(final long sector, final long version) {
    set(sector, ((long) Kind.IDENTIFIED.ordinal() << KIND_SHIFT) | version);
  }

  /** The sector holds zeroes since a discard, which has a version as a write has. */
  void zeroed(final long sector, final long version) {
    set(sector, ((long) Kind.ZEROED.ordinal() << KIND_SHIFT) | version);
  }

  /** The sector holds bytes with a checksum. */
  void described(final long sector, final int checksum) {
    set(sector, ((long) Kind.DESCRIBED.ordinal() << KIND_SHIFT) | (checksum & 0xFFFF_FFFFL));
  }

  /**
   * A write or discard is on its way; unless it is acknowledged, nobody knows what the sectors
   * hold.
   */
  void uncertain(final long first, final int count) {
    for (int i = 0; i < count; i++) {
      set(first + i, UNCERTAIN_ENTRY);
    }
  }

  /** The sectors' content is nobody's business any more. */
  void unknown(final long first, final int count) {
    for (int i = 0; i < count; i++) {
      set(first + i, 0L);
    }
  }

  /** Whether a sector of the run cannot be verified yet. A hint without a claim. */
  boolean anyUnverifiable(final long first, final long count) {
    final long end = first + count;
    for (long sector = first; sector < end; sector++) {
      final Kind kind = kind(sector);
      if (kind == Kind.UNKNOWN || kind == Kind.UNCERTAIN) {
        return true;
      }
    }
    return false;
  }

  /** Whether the whole run can be verified, and some of it changed at a version or later. */
  boolean writtenSince(final long first, final int count, final long version) {
    boolean found = false;
    for (long sector = first; sector < first + count; sector++) {
      final Kind kind = kind(sector);
      if (kind == Kind.UNKNOWN || kind == Kind.UNCERTAIN) {
        return false;
      }
      found |= (kind == Kind.IDENTIFIED || kind == Kind.ZEROED) && value(sector) >= version;
    }
    return found;
  }

  private long entry(final long sector) {
    final Chunk chunk = chunks.get((int) (sector >>> CHUNK_SHIFT));
    return chunk == null ? 0L : chunk.entries[(int) sector & (CHUNK_SECTORS - 1)];
  }

  private void set(final long sector, final long entry) {
    chunk(sector).entries[(int) sector & (CHUNK_SECTORS - 1)] = entry;
  }

  private Chunk chunk(final long sector) {
    final int index = (int) (sector >>> CHUNK_SHIFT);
    final Chunk present = chunks.get(index);
    return present != null ? present : newChunk(index);
  }

  private Chunk newChunk(final int index) {
    final Chunk made = new Chunk();
    final Chunk witness = chunks.compareAndExchange(index, null, made);
    return witness == null ? made : witness;
  }
}
