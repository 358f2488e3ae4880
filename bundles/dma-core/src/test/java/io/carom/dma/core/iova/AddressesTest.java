package io.carom.dma.core.iova;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.carom.dma.spi.IovaSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class AddressesTest {
  private static final long SEED = Long.getLong("carom.seed", 20260411L);
  private static final long G = 4096;
  private static final long MASK_32 = 0xffff_ffffL;
  private static final long ALL = -1;

  private static Addresses space(final long first, final long last, final long... exclusions) {
    return new Addresses(G, first, last, 2, exclusions);
  }

  @Test
  void leasesTopDownAlignedToTheSizeRoundedUp() {
    final Addresses space = space(0, (1L << 48) - 1);
    assertThat(space.first()).isEqualTo(G); // address 0 is nobody's
    assertThat(space.lease(0, G, ALL)).isEqualTo((1L << 48) - G);
    assertThat(space.lease(0, 3 * G, ALL)).isEqualTo((1L << 48) - (8 * G));
    assertThat(space.lease(0, 33 * G, ALL)).isEqualTo((1L << 48) - (64 * G));
    assertThat(space.lease(0, G, MASK_32)).isEqualTo((1L << 32) - G);
    assertThat(space.lease(0, G, ALL)).isEqualTo((1L << 48) - (2 * G));
    assertThat(space.leasedBytes()).isEqualTo((1 + 4 + 33 + 1 + 1) * G);
  }

  @Test
  void anApertureMayBeginAt4GiBAndHaveNothingForA32BitDevice() {
    final Addresses space = space(1L << 32, (1L << 32) + (1 << 20) - 1);
    assertThat(space.lease(0, G, MASK_32)).isEqualTo(IovaSpace.NONE);
    assertThat(space.lease(0, 1 << 20, ALL)).isEqualTo(1L << 32);
    assertThat(space.lease(0, G, ALL)).isEqualTo(IovaSpace.NONE);
    space.giveBack(0, 1L << 32, 1 << 20);
    assertThat(space.lease(0, G, (1L << 32) + G - 1)).isEqualTo(1L << 32);
    assertThat(space.lease(0, G, (1L << 32) + G - 2)).isEqualTo(IovaSpace.NONE);
  }

  @Test
  void aWholeAddressSpaceOf64BitsIsTaken() {
    final Addresses space = space(0, -1, 0, 0xff, -4096, -1);
    final long iova = space.lease(0, G, ALL);
    assertThat(iova).isEqualTo(Addresses.END - G);
    assertThat(space.lease(0, 1L << 60, ALL)).isEqualTo(Addresses.END - (1L << 61));
  }

  @Test
  void whatIsExcludedIsNeverLeasedInWholeGranules() {
    final Addresses space = space(0, (16 * G) - 1, 0x1fff, 0x2000, 0x3000, 0x3fff, 0xa123, 0xa124);
    final List<Long> got = new ArrayList<>();
    for (long a = space.lease(0, G, ALL); a >= 0; a = space.lease(0, G, ALL)) {
      got.add(a / G);
    }
    assertThat(got).containsExactly(15L, 14L, 13L, 12L, 11L, 9L, 8L, 7L, 6L, 5L, 4L);
    assertThat(space.excludedBytes()).isEqualTo(4 * G);
    assertThat(space.freeBytes()).isZero();
  }

  @Test
  void aRangeInAMagazineIsTakenAgainOnlyBelowTheLimit() {
    final Addresses space = space(0, (1L << 33) - 1);
    final long high = space.lease(0, 2 * G, ALL);
    final long low = space.lease(0, 2 * G, MASK_32);
    space.giveBack(0, high, 2 * G);
    space.giveBack(0, low, 2 * G);
    space.giveBack(0, space.lease(0, 2 * G, ALL), 2 * G);
    assertThat(space.cachedBytes()).isEqualTo(4 * G);
    assertThat(space.lease(0, 2 * G, MASK_32)).isEqualTo(low);
    assertThat(space.lease(0, 2 * G, MASK_32)).isEqualTo(low - (2 * G));
    assertThat(space.lease(0, 2 * G, ALL)).isEqualTo(high);
    assertThat(space.cachedBytes()).isZero();
  }

  @Test
  void theLastRangesOfOtherStripesMagazinesAreFound() {
    final Addresses space = space(G, (3 * G) - 1);
    final long a = space.lease(0, G, ALL);
    final long b = space.lease(0, G, ALL);
    space.giveBack(0, a, G);
    space.giveBack(1, b, G);
    assertThat(space.lease(0, G, ALL)).isEqualTo(a);
    assertThat(space.lease(0, G, ALL)).isEqualTo(b);
    assertThat(space.lease(0, G, ALL)).isEqualTo(IovaSpace.NONE);
  }

  @Test
  void reservesWhatIsNotLeasedMagazinesIncluded() {
    final Addresses space = space(0, (64 * G) - 1, 0, (2 * G) - 1);
    final long a = space.lease(0, G, ALL);
    assertThat(space.reserve(a, a)).isFalse();
    assertThat(space.reserve(a - G, a + 5)).isFalse();
    assertThat(space.reserve(a - (2 * G), a - 1)).isTrue();
    space.giveBack(0, a, G);
    assertThat(space.cachedBytes()).isEqualTo(G);
    assertThat(space.reserve(a - (3 * G), ALL)).isTrue(); // partly reserved, partly beyond the end
    assertThat(space.lease(0, G, ALL)).isEqualTo(a - (4 * G));
    assertThat(space.reserve(0, 0x123)).isTrue();
    assertThat(space.leasedBytes()).isEqualTo(G);
  }

  @Test
  void whatLeaksNeverComesBack() {
    final Addresses space = space(G, (3 * G) - 1);
    final long a = space.lease(0, G, ALL);
    space.leak(a, G);
    assertThat(space.leakedBytes()).isEqualTo(G);
    assertThat(space.leasedBytes()).isZero();
    final long b = space.lease(0, G, ALL);
    assertThat(b).isNotEqualTo(a);
    assertThat(space.lease(0, G, ALL)).isEqualTo(IovaSpace.NONE);
    assertThat(space.reserve(a, a)).isFalse();
  }

  @Test
  void refusesWhatIsNoLease() {
    final Addresses space = space(G, (1L << 32) - 1);
    final long big = space.lease(0, 64 * G, ALL);
    space.giveBack(0, big, 64 * G);
    assertThatThrownBy(() -> space.giveBack(0, big, 64 * G)).hasMessageContaining("is not leased");
    assertThatThrownBy(() -> space.giveBack(0, big + G, 2 * G))
        .hasMessageContaining("is not of this space");
    assertThatThrownBy(() -> space.giveBack(0, 1L << 32, G)).hasMessageContaining("not of this");
    assertThatThrownBy(() -> space.lease(0, 0, ALL)).hasMessageContaining("no whole granules");
    assertThatThrownBy(() -> space.lease(0, G + 1, ALL)).hasMessageContaining("no whole granules");
    assertThatThrownBy(() -> space(1L << 32, MASK_32)).hasMessageContaining("holds no granule");
  }

  @Test
  void neverOverlapsAndAllComesBack() {
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 12; round++) {
      final String as = "seed " + SEED + " round " + round;
      final long first = round % 3 == 0 ? 1L << 32 : 0;
      final long last = first + (random.nextInt(1, 40) * 256L * G) - 1;
      final List<long[]> excluded = new ArrayList<>();
      final long[] pairs = new long[2 * random.nextInt(8)];
      for (int i = 0; i < pairs.length; i += 2) {
        pairs[i] = first + random.nextLong(last - first);
        pairs[i + 1] = pairs[i] + random.nextLong(40 * G);
        excluded.add(new long[] {pairs[i], pairs[i + 1]});
      }
      final Addresses space = new Addresses(G, first, last, 4, pairs);
      final long before = space.freeBytes();
      final TreeMap<Long, Long> leased = new TreeMap<>();
      for (int step = 0; step < 20_000; step++) {
        if (random.nextInt(step % 4_000 < 2_000 ? 3 : 2) != 0 || leased.isEmpty()) {
          lease(as, space, random, leased, excluded, first, last);
        } else {
          final Long key = leased.floorKey(first + random.nextLong(last - first + 1));
          final Map.Entry<Long, Long> range =
              key == null ? leased.firstEntry() : Map.entry(key, leased.get(key));
          leased.remove(range.getKey());
          space.giveBack(random.nextInt(8), range.getKey(), range.getValue());
        }
        if (step % 5_000 == 4_999) {
          assertThat(space.leasedBytes() + space.cachedBytes() + space.freeBytes())
              .as(as)
              .isEqualTo(before);
        }
      }
      leased.forEach((iova, bytes) -> space.giveBack(0, iova, bytes));
      assertThat(space.leasedBytes()).as(as).isZero();
      space.trim();
      assertThat(space.cachedBytes()).as(as).isZero();
      assertThat(space.freeBytes()).as(as).isEqualTo(before);
    }
  }

  private static void lease(
      final String as,
      final Addresses space,
      final SplittableRandom random,
      final NavigableMap<Long, Long> leased,
      final List<long[]> excluded,
      final long first,
      final long last) {
    final long bytes = G * (1 + random.nextInt(random.nextInt(4) == 0 ? 200 : 32));
    final long limit = random.nextBoolean() ? ALL : first + random.nextLong(last - first);
    final long iova = space.lease(random.nextInt(8), bytes, limit);
    if (iova == IovaSpace.NONE) {
      return;
    }
    final long end = iova + bytes;
    assertThat(iova).as(as).isGreaterThanOrEqualTo(Math.max(first, G));
    assertThat(end - 1).as(as).isLessThanOrEqualTo(limit < 0 ? last : limit);
    assertThat(iova % Long.highestOneBit((2 * bytes) - 1)).as(as).isZero();
    final Map.Entry<Long, Long> below = leased.lowerEntry(end);
    assertThat(below == null || below.getKey() + below.getValue() <= iova).as(as).isTrue();
    for (final long[] hole : excluded) {
      assertThat(hole[1] < iova || (hole[0] & -G) >= end).as(as).isTrue();
    }
    leased.put(iova, bytes);
  }

  @Test
  void findsARangeWheneverThereIsOne() {
    final SplittableRandom random = new SplittableRandom(SEED);
    final int granules = 96;
    for (int round = 0; round < 300; round++) {
      final boolean[] taken = new boolean[granules];
      taken[0] = true;
      final Addresses space = space(0, (granules * G) - 1);
      for (int step = 0; step < 60; step++) {
        final int n = 1 << random.nextInt(7);
        final int top = 1 + random.nextInt(granules);
        int wanted = -1;
        for (int at = (top - n) & -n; at >= 0 && wanted < 0 && top >= n; at -= n) {
          boolean fits = true;
          for (int i = at; i < at + n; i++) {
            fits &= !taken[i];
          }
          wanted = fits ? at : -1;
        }
        final String as = "seed " + SEED + " round " + round + " step " + step;
        final long iova = space.lease(0, n * G, (top * G) - 1);
        assertThat(iova).as(as).isEqualTo(wanted < 0 ? IovaSpace.NONE : wanted * G);
        for (int i = wanted; wanted >= 0 && i < wanted + n; i++) {
          taken[i] = true;
        }
        final int back = random.nextInt(granules);
        if (back != 0 && taken[back] && n == 1 && wanted == back) {
          space.giveBack(0, iova, G);
          space.trim();
          taken[back] = false;
        }
      }
    }
  }

  @Test
  void twoThreadsAndOneThatReservesShareNothing() throws InterruptedException {
    final int granules = 4096;
    final Addresses space = new Addresses(G, 0, (granules * G) - 1, 2, new long[0]);
    final AtomicIntegerArray owners = new AtomicIntegerArray(granules);
    final AtomicReference<Throwable> failure = new AtomicReference<>();
    final List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 2; t++) {
      final int me = t + 1;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      work(space, owners, me);
                    } catch (final Throwable e) {
                      failure.set(e);
                    }
                  }));
    }
    long reserved = 0;
    for (int i = 1; i < 400; i++) {
      final int granule = i * 5;
      if (space.reserve(granule * G, (granule * G) + G - 1)) {
        reserved += G;
        assertThat(owners.compareAndSet(granule, 0, 99)).as("seed %d", SEED).isTrue();
      }
    }
    for (final Thread thread : threads) {
      thread.join(60_000);
      assertThat(thread.isAlive()).as("seed %d", SEED).isFalse();
    }
    assertThat(failure.get()).as("seed %d", SEED).isNull();
    assertThat(space.leasedBytes()).as("seed %d", SEED).isZero();
    space.trim();
    assertThat(space.excludedBytes()).isEqualTo(reserved);
    assertThat(space.freeBytes() + reserved).isEqualTo((granules - 1) * G);
  }

  private static void work(final Addresses space, final AtomicIntegerArray owners, final int me) {
    final SplittableRandom random = new SplittableRandom(SEED + me);
    final List<long[]> mine = new ArrayList<>();
    for (int step = 0; step < 100_000 || !mine.isEmpty(); step++) {
      if (step < 100_000 && mine.size() < 700 && random.nextInt(2) == 0) {
        final long bytes = G * (1 + random.nextInt(random.nextInt(50) == 0 ? 50 : 3));
        final long iova = space.lease(me, bytes, ALL);
        if (iova != IovaSpace.NONE) {
          for (long a = iova; a < iova + bytes; a += G) {
            if (!owners.compareAndSet((int) (a / G), 0, me)) {
              throw new AssertionError("granule " + a / G + " has two owners");
            }
          }
          mine.add(new long[] {iova, bytes});
        }
      } else if (!mine.isEmpty()) {
        final long[] range = mine.remove(random.nextInt(mine.size()));
        for (long a = range[0]; a < range[0] + range[1]; a += G) {
          owners.set((int) (a / G), 0);
        }
        space.giveBack(random.nextInt(2), range[0], range[1]);
      }
    }
  }
}
