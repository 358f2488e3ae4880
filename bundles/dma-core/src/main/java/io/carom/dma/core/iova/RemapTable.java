package io.carom.dma.core.iova;

import io.carom.dma.core.pool.Generation;
import org.jspecify.annotations.Nullable;

/**
 * Records of one domain's mappings that have addresses of their own there, keyed by the first
 * granule of their range. Ranges never overlap, so a key is never shared.
 *
 * <p>A record is MAPPING from before the MAP request is made, LIVE once the IOMMU has agreed, and
 * ENDING from the moment an unmap has claimed it until the range is unmapped, or handed to the
 * flush queue. Only a LIVE record can be claimed, and only one claim succeeds: a second unmap finds
 * nothing, also while the first still waits for the IOMMU. The record must go ({@link #undo},
 * {@link #end}) before its range is given back, since the next lease of the range brings the same
 * key.
 *
 * <p>Sharded; each shard is an open-addressed table under a lock of its own, which is held for a
 * probe, never while another lock is taken, and never while the IOMMU is asked. A map holds its
 * stripe's lock while it takes the shard's: stripe before shard is the only order. A record is one
 * cache line. Nothing is allocated once a shard has grown to its working set.
 */
public final class RemapTable {
  /** Flag: the invalidation may be put off. */
  public static final int DEFERRED = 1;

  /** Flag: a list was mapped as one. */
  public static final int LIST = 2;

  private static final int SHARDS = Generation.PASS_SHARDS;
  private static final int NEAR = 256; // granules; beyond that an interior address is searched for

  private final int shift;
  private final RemapShard[] shards = new RemapShard[SHARDS];

  /**
   * An empty table.
   *
   * @param granule bytes of the domain's granule, a power of two
   */
  public RemapTable(final long granule) {
    shift = Long.numberOfTrailingZeros(granule);
    for (int i = 0; i < SHARDS; i++) {
      shards[i] = new RemapShard(i, shift);
    }
  }

  /** What {@link #claim} found. */
  public enum Found {
    /** The mapping; it is the caller's to end. */
    CLAIMED,
    /** None at that address of that device, or one that is not live. */
    ABSENT,
    /** One at that address, of another size. */
    OTHER_SIZE,
    /** One at that address and size, with another direction. */
    OTHER_DIRECTION,
    /** One at that address that is a list's, or is not. */
    OTHER_FUNCTION
  }

  /** Says which generations are the caller's. */
  @FunctionalInterface
  public interface Owner {
    /** The generation of a number if it belongs to the caller's device, else null. */
    @Nullable Generation mine(int generation);
  }

  /** Receives records for people. */
  @FunctionalInterface
  public interface Visitor {
    /** One record; the object is filled in again for the next one. Must not call the table. */
    void record(Remapped record);
  }

  /**
   * Publishes a record as MAPPING. Under the lock of the stripe that placed it.
   *
   * @param iova first address of the leased range
   * @param ioBytes bytes of it
   * @param busAddress address of the first byte, in the range's first granule
   * @param flags {@link #DEFERRED} and {@link #LIST}
   * @return false if there is a record at that range already; nothing is changed then
   */
  public boolean begin(
      final long iova,
      final long ioBytes,
      final long busAddress,
      final long address,
      final long size,
      final int direction,
      final int flags,
      final Generation generation,
      final int stripe,
      final int tick) {
    final RemapShard shard = shard(iova);
    shard.lock(Thread.currentThread().threadId());
    try {
      final int i = shard.add(iova);
      if (i < 0) {
        return false;
      }
      shard.fill(i, ioBytes, busAddress, address, size);
      shard.describe(i, direction, flags, generation.slot(), stripe, tick);
      generation.remapBegins(shard.index);
      return true;
    } finally {
      shard.unlock();
    }
  }

  /** Makes a record LIVE that was MAPPING. */
  public void live(final long iova) {
    final RemapShard shard = shard(iova);
    shard.lock(Thread.currentThread().threadId());
    try {
      shard.state(shard.expect(iova, RemapShard.MAPPING), RemapShard.LIVE);
    } finally {
      shard.unlock();
    }
  }

  /** Removes a record that was MAPPING: it never was a mapping. */
  public void undo(final long iova, final Generation generation) {
    final RemapShard shard = shard(iova);
    shard.lock(Thread.currentThread().threadId());
    try {
      shard.delete(shard.expect(iova, RemapShard.MAPPING));
      generation.remapUndone(shard.index);
    } finally {
      shard.unlock();
    }
  }

  /**
   * Claims a LIVE record for an unmap: it is ENDING until {@link #end}.
   *
   * @param list whether it is to be a list's
   * @param out filled in when the record is claimed
   */
  public Found claim(
      final long busAddress,
      final long size,
      final int direction,
      final boolean list,
      final Owner owner,
      final Remapped out) {
    final long iova = busAddress >>> shift << shift;
    final RemapShard shard = shard(iova);
    shard.lock(Thread.currentThread().threadId());
    try {
      final int i = shard.find(iova);
      if (i < 0 || shard.busAddress(i) != busAddress || shard.state(i) != RemapShard.LIVE) {
        return Found.ABSENT;
      }
      final Generation generation = owner.mine(shard.generation(i));
      if (generation == null) {
        return Found.ABSENT;
      }
      if (shard.list(i) != list) {
        return Found.OTHER_FUNCTION;
      }
      if (shard.size(i) != size) {
        return Found.OTHER_SIZE;
      }
      if (shard.direction(i) != direction) {
        return Found.OTHER_DIRECTION;
      }
      shard.state(i, RemapShard.ENDING);
      shard.copy(i, out);
      out.owner = generation;
      return Found.CLAIMED;
    } finally {
      shard.unlock();
    }
  }

  /**
   * Claims the next LIVE record of a generation, as for an unmap by its driver.
   *
   * @param from shard to begin with
   * @param out filled in when one is claimed
   * @param before is shown the record before it is claimed, under the lock of its shard
   * @return the shard that it was in, or -1 when there is none
   */
  public int claimNext(
      final Generation generation, final int from, final Remapped out, final Visitor before) {
    for (int index = from; index < SHARDS; index++) {
      final RemapShard shard = shards[index];
      shard.lock(Thread.currentThread().threadId());
      try {
        final int i = shard.liveOf(generation.slot());
        if (i >= 0) {
          shard.copy(i, out);
          out.owner = generation;
          before.record(out);
          shard.state(i, RemapShard.ENDING);
          return index;
        }
      } finally {
        shard.unlock();
      }
    }
    return -1;
  }

  /** Removes a record that was claimed. */
  public void end(final Remapped claimed) {
    final Generation generation = claimed.owner;
    if (generation == null) {
      throw new IllegalStateException("range " + RemapShard.hex(claimed.iova) + " was not claimed");
    }
    final RemapShard shard = shard(claimed.iova);
    shard.lock(Thread.currentThread().threadId());
    try {
      shard.delete(shard.expect(claimed.iova, RemapShard.ENDING));
      generation.remapEnds(shard.index);
    } finally {
      shard.unlock();
    }
  }

  /** Whether a run lies within a live mapping of the caller's; as {@link #find}. */
  public boolean covers(
      final long busAddress, final long size, final int direction, final Owner owner) {
    return find(busAddress, size, direction, owner, null);
  }

  /**
   * Finds the live mapping of the caller's that a run lies within. Fast when it starts at or soon
   * after the first byte of the mapping; else it is searched for in the whole table.
   *
   * @param out filled in when there is one, unless null
   */
  public boolean find(
      final long busAddress,
      final long size,
      final int direction,
      final Owner owner,
      final @Nullable Remapped out) {
    long key = busAddress >>> shift << shift;
    for (int n = 0; n < NEAR && key >= 0; n++, key -= 1L << shift) {
      final RemapShard shard = shard(key);
      shard.lock(Thread.currentThread().threadId());
      try {
        final int i = shard.find(key);
        if (i >= 0) {
          // Ranges do not overlap: what begins further down ends before this one.
          return shard.covers(i, busAddress, size, direction, owner, out);
        }
      } finally {
        shard.unlock();
      }
    }
    for (final RemapShard shard : shards) {
      if (shard.search(busAddress, size, direction, owner, out)) {
        return true;
      }
    }
    return false;
  }

  /** Whether the range of any record, in whatever state, lies in part in {@code [from, end)}. */
  public boolean any(final long from, final long end) {
    final boolean[] found = new boolean[1];
    visit(r -> found[0] |= r.iova < end && r.iova + r.ioBytes > from); // ranges end below 2^63
    return found[0];
  }

  /** Shows all records; those that come and go meanwhile may be missed. */
  public void visit(final Visitor visitor) {
    final Remapped record = new Remapped();
    for (final RemapShard shard : shards) {
      shard.visit(record, visitor);
    }
  }

  /** Number of records, in whatever state; a little old. */
  public long size() {
    long sum = 0;
    for (final RemapShard shard : shards) {
      sum += shard.used();
    }
    return sum;
  }

  private RemapShard shard(final long iova) {
    return shards[(int) (RemapShard.mix(iova >>> shift) >>> 58)]; // top 6 bits: SHARDS is 64
  }
}
