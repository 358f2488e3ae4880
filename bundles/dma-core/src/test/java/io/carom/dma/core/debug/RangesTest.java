package io.carom.dma.core.debug;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RangesTest {
  private static final long SEED = Long.getLong("carom.seed", 20260403L);
  private static final int SPACE = 64;

  @Test
  void isAsASetOfBits() {
    final SplittableRandom random = new SplittableRandom(SEED);
    for (int round = 0; round < 200; round++) {
      final Ranges ranges = new Ranges();
      final BitSet bits = new BitSet();
      for (int step = 0; step < 60; step++) {
        final int from = random.nextInt(SPACE);
        final int to = from + random.nextInt(SPACE - from + 1);
        final boolean in = random.nextBoolean();
        bits.set(from, to, in);
        if (in) {
          ranges.add(from, to);
        } else {
          ranges.remove(from, to);
        }
        final int a = random.nextInt(SPACE);
        final int b = a + random.nextInt(SPACE - a + 1);
        final BitSet part = bits.get(a, b);
        final String as = "seed " + SEED + ": " + ranges + " in " + a + ".." + b;
        assertThat(ranges.count(a, b)).as(as).isEqualTo(part.cardinality());
        assertThat(ranges.covers(a, b)).as(as).isEqualTo(part.cardinality() == b - a);
        assertThat(ranges.intersects(a, b)).as(as).isEqualTo(!part.isEmpty());
        assertThat(ranges.isEmpty()).as(as).isEqualTo(bits.isEmpty());
        final BitSet gaps = new BitSet();
        ranges.gaps(a, b, (start, end) -> gaps.set((int) start - a, (int) end - a));
        part.flip(0, b - a);
        assertThat(gaps).as(as).isEqualTo(part);
      }
    }
  }
}
