package io.carom.swiotlb.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SlotSearchTest {
  @Test
  void findsWhatALoopFinds() {
    final long seed = Long.getLong("carom.seed", 7);
    final SplittableRandom random = new SplittableRandom(seed);
    final SlotSearch search = new SlotSearch();
    for (int round = 0; round < 3_000; round++) {
      long low = random.nextLong();
      long high = random.nextLong();
      for (int i = random.nextInt(4); i > 0; i--) { // make long runs likely
        low |= random.nextLong();
        high |= random.nextLong();
      }
      if (round % 50 == 0) {
        low = -1L;
        high = round % 100 == 0 ? -1L : high;
      }
      for (int count = 1; count <= 128; count = count < 8 ? count + 1 : count + 13) {
        search.starts(low, high, count);
        int expected = -1;
        final int from = random.nextInt(129);
        for (int slot = from; slot + count <= 128 && expected < 0; slot++) {
          boolean free = true;
          for (int i = slot; i < slot + count && free; i++) {
            free = ((i < 64 ? low >>> i : high >>> (i - 64)) & 1) != 0;
          }
          expected = free ? slot : -1;
        }
        assertThat(search.next(from))
            .as("seed %d, %x %x, %d slots from %d", seed, high, low, count, from)
            .isEqualTo(expected);
      }
      search.starts(-1L, -1L, 128);
      assertThat(search.next(0)).isZero();
      assertThat(search.next(1)).isEqualTo(-1);
    }
  }
}
