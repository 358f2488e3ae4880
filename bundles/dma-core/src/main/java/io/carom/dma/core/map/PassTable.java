package io.carom.dma.core.map;

import io.carom.dma.core.pool.Generation;
import io.carom.dma.core.pool.StripeLock;
import org.jspecify.annotations.Nullable;

/**
 * Records of mappings that the device reaches where they are. Several may share a key (bus address,
 * size, direction, generation): they are counted in one record.
 *
 * <p>Sharded by bus address; each shard is an open-addressed table under a lock of its own, which
 * is held for a probe and never while another lock of it is taken. A map holds its stripe's lock
 * while it takes the shard's: stripe before shard is the only order. An unmap takes the shard's
 * alone.
 */
public final class PassTable {
  private static final int SHARDS = Generation.PASS_SHARDS;
  private static final int INITIAL = 64;

  private final Shard[] shards = new Shard[SHARDS];

  /** An empty table. */
  public PassTable() {
    for (int i = 0; i < SHARDS; i++) {
      shards[i] = new Shard(i);
    }
  }

  /** What {@link #remove} found. */
  public enum Found {
    /** The mapping; it is ended. */
    REMOVED,
    /** None at that address of that device. */
    ABSENT,
    /** One at that address, of another size. */
    OTHER_SIZE,
    /** One at that address and size, with another direction. */
    OTHER_DIRECTION
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
    /** One record. */
    void record(long busAddress, long size, int direction, int generation, int count, int tick);
  }

  /** Records a mapping. Under the lock of the stripe that placed it. */
  public void add(
      final long busAddress,
      final long size,
      final int direction,
      final Generation generation,
      final int tick) {
    final Shard shard = shard(busAddress);
    shard.lock(Thread.currentThread().threadId());
    try {
      shard.add(busAddress, size, direction, generation.slot(), tick);
      generation.passBegins(shard.index);
    } finally {
      shard.unlock();
    }
  }

  /** Ends a mapping. */
  public Found remove(
      final long busAddress, final long size, final int direction, final Owner owner) {
    final Shard shard = shard(busAddress);
    shard.lock(Thread.currentThread().threadId());
    try {
      Found found = Found.ABSENT;
      for (int i = shard.first(busAddress); shard.counts[i] != 0; i = shard.next(i)) {
        if (shard.addresses[i] != busAddress) {
          continue;
        }
        final Generation generation = owner.mine(shard.generations[i]);
        if (generation == null) {
          continue;
        }
        if (shard.sizes[i] != size) {
          found = Found.OTHER_SIZE;
        } else if (shard.directions[i] != direction) {
          found = Found.OTHER_DIRECTION;
        } else {
          if (--shard.counts[i] == 0) {
            shard.delete(i);
          }
          generation.passEnds(shard.index);
          return Found.REMOVED;
        }
      }
      return found;
    } finally {
      shard.unlock();
    }
  }

  /**
   * Ends all mappings of a generation, in which none begins any more.
   *
   * @param before is shown each record before it is ended, under the lock of its shard
   * @return how many mappings
   */
  public long revoke(final Generation generation, final Visitor before) {
    long sum = 0;
    for (final Shard shard : shards) {
      shard.lock(Thread.currentThread().threadId());
      try {
        sum += shard.revoke(generation, before);
      } finally {
        shard.unlock();
      }
    }
    return sum;
  }

  /**
   * Whether a run lies within a mapping of the caller's. Fast when it starts where the mapping
   * does; an interior address is searched for in the whole table.
   */
  public boolean covers(
      final long busAddress, final long size, final int direction, final Owner owner) {
    if (shard(busAddress).covers(busAddress, size, direction, owner)) {
      return true;
    }
    for (final Shard shard : shards) {
      if (shard.covers(busAddress, size, direction, owner)) {
        return true;
      }
    }
    return false;
  }

  /** Whether any mapping lies, in part, in {@code [from, end)}. */
  public boolean any(final long from, final long end) {
    final boolean[] found = new boolean[1];
    visit(
        (bus, size, direction, generation, count, tick) ->
            found[0] |= bus < end && bus + size > from); // both below 2^48
    return found[0];
  }

  /** Shows all records; those that come and go meanwhile may be missed. */
  public void visit(final Visitor visitor) {
    for (final Shard shard : shards) {
      shard.visit(visitor);
    }
  }

  private Shard shard(final long busAddress) {
    return shards[(int) (mix(busAddress) >>> 58)]; // the top 6 bits: SHARDS is 64
  }

  private static long mix(final long busAddress) {
    return (busAddress >>> 9) * 0x9E3779B97F4A7C15L;
  }

  private static final class Shard extends StripeLock {
    private final int index;
    private long[] addresses = new long[INITIAL];
    private long[] sizes = new long[INITIAL];
    private int[] directions = new int[INITIAL];
    private int[] generations = new int[INITIAL];
    private int[] counts = new int[INITIAL]; // 0: empty
    private int[] ticks = new int[INITIAL];
    private int used;

    Shard(final int index) {
      this.index = index;
    }

    int first(final long busAddress) {
      return (int) (mix(busAddress) >>> 20) & (addresses.length - 1);
    }

    int next(final int i) {
      return (i + 1) & (addresses.length - 1);
    }

    void add(
        final long busAddress,
        final long size,
        final int direction,
        final int generation,
        final int tick) {
      if (used * 2 >= addresses.length) {
        grow();
      }
      int i = first(busAddress);
      while (counts[i] != 0) {
        if (addresses[i] == busAddress
            && sizes[i] == size
            && directions[i] == direction
            && generations[i] == generation) {
          counts[i]++;
          return;
        }
        i = next(i);
      }
      put(i, busAddress, size, direction, generation, 1, tick);
      used++;
    }

    private void put(
        final int i,
        final long busAddress,
        final long size,
        final int direction,
        final int generation,
        final int count,
        final int tick) {
      addresses[i] = busAddress;
      sizes[i] = size;
      directions[i] = direction;
      generations[i] = generation;
      counts[i] = count;
      ticks[i] = tick;
    }

    /** Empties a place and moves up what was pushed past it, so that no probe ends too soon. */
    void delete(final int place) {
      used--;
      int hole = place;
      counts[hole] = 0;
      for (int i = next(hole); counts[i] != 0; i = next(i)) {
        final int wanted = first(addresses[i]);
        final boolean stays =
            hole <= i ? hole < wanted && wanted <= i : hole < wanted || wanted <= i;
        if (!stays) {
          put(hole, addresses[i], sizes[i], directions[i], generations[i], counts[i], ticks[i]);
          counts[i] = 0;
          hole = i;
        }
      }
    }

    long revoke(final Generation generation, final Visitor before) {
      long sum = 0;
      for (int i = 0; i < addresses.length; i++) {
        while (counts[i] != 0 && generations[i] == generation.slot()) {
          before.record(addresses[i], sizes[i], directions[i], generations[i], counts[i], ticks[i]);
          for (int n = 0; n < counts[i]; n++) {
            generation.passEnds(index);
          }
          sum += counts[i];
          delete(i); // which may move another one here
        }
      }
      return sum;
    }

    private void grow() {
      final long[] oldAddresses = addresses;
      final long[] oldSizes = sizes;
      final int[] oldDirections = directions;
      final int[] oldGenerations = generations;
      final int[] oldCounts = counts;
      final int[] oldTicks = ticks;
      final int size = oldAddresses.length * 2;
      addresses = new long[size];
      sizes = new long[size];
      directions = new int[size];
      generations = new int[size];
      counts = new int[size];
      ticks = new int[size];
      for (int j = 0; j < oldAddresses.length; j++) {
        if (oldCounts[j] != 0) {
          int i = first(oldAddresses[j]);
          while (counts[i] != 0) {
            i = next(i);
          }
          put(
              i,
              oldAddresses[j],
              oldSizes[j],
              oldDirections[j],
              oldGenerations[j],
              oldCounts[j],
              oldTicks[j]);
        }
      }
    }

    boolean covers(final long busAddress, final long size, final int direction, final Owner owner) {
      lock(Thread.currentThread().threadId());
      try {
        for (int i = 0; i < addresses.length; i++) {
          if (counts[i] != 0
              && busAddress >= addresses[i]
              && busAddress - addresses[i] <= sizes[i] - size
              && (directions[i] == direction || directions[i] == 0)
              && owner.mine(generations[i]) != null) {
            return true;
          }
        }
        return false;
      } finally {
        unlock();
      }
    }

    void visit(final Visitor visitor) {
      lock(Thread.currentThread().threadId());
      try {
        for (int i = 0; i < addresses.length; i++) {
          if (counts[i] != 0) {
            visitor.record(
                addresses[i], sizes[i], directions[i], generations[i], counts[i], ticks[i]);
          }
        }
      } finally {
        unlock();
      }
    }
  }
}
