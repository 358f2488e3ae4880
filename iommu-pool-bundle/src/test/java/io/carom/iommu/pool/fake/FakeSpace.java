package io.carom.iommu.pool.fake;

import static org.assertj.core.api.Assertions.assertThat;

import io.carom.dma.spi.IovaSpace;
import java.util.Map;
import java.util.TreeMap;

/** Addresses of a domain, leased from the top down; what is wrong about a return is found out. */
public final class FakeSpace implements IovaSpace {
  /** Bytes of a granule. */
  public static final long GRANULE = 4096;

  private final long first;
  private final long last;
  private final TreeMap<Long, Long> leased = new TreeMap<>(); // first address, bytes
  private boolean exhausted;

  /** Leases so far that came to something. */
  public int leases;

  /** The next lease returns this address, whether it is free or not. */
  public long forced = NONE;

  /** From one address to another, inclusive. */
  public FakeSpace(final long first, final long last) {
    this.first = first;
    this.last = last;
  }

  /** Leases nothing, or leases again. */
  public void exhausted(final boolean now) {
    exhausted = now;
  }

  @Override
  public long granule() {
    return GRANULE;
  }

  @Override
  public long first() {
    return first;
  }

  @Override
  public long last() {
    return last;
  }

  @Override
  public synchronized long lease(final int stripe, final long bytes, final long limit) {
    assertThat(bytes).isPositive();
    assertThat(bytes % GRANULE).isZero();
    assertThat(limit).isNotNegative();
    if (forced != NONE) {
      final long iova = forced;
      forced = NONE;
      return iova;
    }
    if (exhausted) {
      return NONE;
    }
    final long align = bytes == 1 ? 1 : Long.highestOneBit(bytes - 1) << 1;
    long at = (Math.min(last, limit) + 1 - bytes) & -align;
    while (at >= first) {
      final Map.Entry<Long, Long> below = leased.lowerEntry(at + bytes);
      if (below == null || below.getKey() + below.getValue() <= at) {
        leased.put(at, bytes);
        leases++;
        return at;
      }
      at = (below.getKey() - bytes) & -align;
    }
    return NONE;
  }

  @Override
  public synchronized void giveBack(final int stripe, final long iova, final long bytes) {
    assertThat(leased.remove(iova)).as("leased at 0x%x", iova).isEqualTo(bytes);
  }

  /** Whether a range lies in one that is leased. */
  public synchronized boolean leased(final long iova, final long bytes) {
    final Map.Entry<Long, Long> at = leased.floorEntry(iova);
    return at != null && iova + bytes <= at.getKey() + at.getValue();
  }

  /** Ranges that are leased. */
  public synchronized int leasedRanges() {
    return leased.size();
  }

  /** The leased range with the highest address: its first address. */
  public synchronized long highest() {
    return leased.lastKey();
  }

  /** Bytes that are leased. */
  public synchronized long leasedBytes() {
    return leased.values().stream().mapToLong(Long::longValue).sum();
  }
}
