package io.carom.swiotlb.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class FreeRunsTest {
  @Test
  void saysWhatALoopSays() {
    final long seed = Long.getLong("carom.seed", 5);
    final SplittableRandom random = new SplittableRandom(seed);
    for (int round = 0; round < 3_000; round++) {
      long low = random.nextLong();
      long high = random.nextLong();
      for (int i = random.nextInt(5); i > 0; i--) {
        low |= random.nextLong();
        high |= random.nextLong();
      }
      if (round % 40 < 4) {
        low = (round & 1) == 0 ? -1L : 0;
        high = (round & 2) == 0 ? -1L : 0;
      }
      check(low, high, "seed " + seed + ", round " + round);
    }
  }

  private static boolean free(final long low, final long high, final int slot) {
    return ((slot < 64 ? low : high) >>> slot & 1) != 0;
  }

  private static void check(final long low, final long high, final String where) {
    int longest = 0;
    int even = 0;
    int odd = 0;
    for (int slot = 0; slot <= 128; slot++) {
      int start = slot;
      while (start > 0 && free(low, high, start - 1)) {
        start--;
      }
      int end = slot;
      while (end < 128 && free(low, high, end)) {
        end++;
      }
      int next = slot;
      while (next < 128 && !free(low, high, next)) {
        next++;
      }
      assertThat(FreeRuns.start(low, high, slot)).as(where).isEqualTo(start);
      assertThat(FreeRuns.end(low, high, slot)).as(where).isEqualTo(end);
      assertThat(FreeRuns.next(low, high, slot)).as(where).isEqualTo(next);
      longest = Math.max(longest, end - slot);
      if ((slot & 1) == 0) {
        even = Math.max(even, end - slot);
      } else {
        odd = Math.max(odd, end - slot);
      }
    }
    assertThat(FreeRuns.longest(low, high)).as(where).isEqualTo(longest);
    assertThat(FreeRuns.longestByParity(low, high)).as(where).isEqualTo(even << 8 | odd);
  }
}
