package io.carom.iommu.pool.bounce;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RangeMapTest {
  /** In the series nodes went in with size 0, so that nothing ever overlapped. */
  @Test
  void emptyRangesAndOverlapsAreRefused() {
    final RangeMap<String> map = new RangeMap<>();
    assertThat(map.add(0x2000, 0, "empty")).isFalse();
    assertThat(map.add(0x2000, -1, "negative")).isFalse();
    assertThat(map.add(0x2000, 0x2000, "a")).isTrue();
    assertThat(map.add(0x2000, 0x2000, "same")).isFalse();
    assertThat(map.add(0x3fff, 1, "last byte")).isFalse();
    assertThat(map.add(0x1000, 0x1001, "first byte")).isFalse();
    assertThat(map.add(0x1000, 0x5000, "around")).isFalse();
    assertThat(map.add(0x2800, 0x100, "inside")).isFalse();
    assertThat(map.add(0x1000, 0x1000, "below")).isTrue();
    assertThat(map.add(0x4000, 0x1000, "above")).isTrue();
    assertThat(map.size()).isEqualTo(3);
    assertThat(map.get(0x3fff)).isEqualTo("a");
    assertThat(map.get(0x4000)).isEqualTo("above");
    assertThat(map.get(0x5000)).isNull();
    assertThat(map.remove(0x2001)).isFalse();
    assertThat(map.remove(0x2000)).isTrue();
    assertThat(map.get(0x2000)).isNull();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void likeAnArrayOfOwners(final long given) {
    final long seed = Long.getLong("carom.seed", given);
    final SplittableRandom random = new SplittableRandom(seed);
    final Integer[] owners = new Integer[200];
    final RangeMap<Integer> map = new RangeMap<>();
    for (int step = 0; step < 20_000; step++) {
      final String where = "seed " + seed + ", step " + step;
      final int start = random.nextInt(190);
      if (random.nextBoolean()) {
        final int bytes = random.nextInt(10);
        boolean free = bytes > 0;
        for (int i = start; i < start + bytes; i++) {
          free &= owners[i] == null;
        }
        assertThat(map.add(start, bytes, step)).as(where).isEqualTo(free);
        for (int i = start; free && i < start + bytes; i++) {
          owners[i] = step;
        }
      } else {
        final Integer owner = owners[start];
        final boolean first = owner != null && (start == 0 || !owner.equals(owners[start - 1]));
        assertThat(map.remove(start)).as(where).isEqualTo(first);
        for (int i = start; first && i < owners.length && owner.equals(owners[i]); i++) {
          owners[i] = null;
        }
      }
      final int probe = random.nextInt(200);
      assertThat(map.get(probe)).as(where).isEqualTo(owners[probe]);
    }
  }
}
