package io.carom.swiotlb.slots;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RunBoundsTest {
  @Test
  void findsWhatAListWouldFind() {
    final long seed = Long.getLong("carom.seed", 11);
    final SplittableRandom random = new SplittableRandom(seed);
    final RunBounds bounds = new RunBounds();
    final List<Integer> model = new ArrayList<>();
    for (int step = 0; step < 20_000; step++) {
      final String where = "seed " + seed + ", step " + step;
      final int what = random.nextInt(step < 3_000 ? 4 : 20);
      if (what == 0 || model.isEmpty()) {
        final int at = random.nextInt(model.size() + 1);
        final int value = random.nextInt(129);
        bounds.insert(at, value);
        model.add(at, value);
      } else if (what == 1 && random.nextInt(3) == 0) {
        final int at = random.nextInt(model.size());
        bounds.remove(at);
        model.remove(at);
      } else if (what < 12) {
        final int at = random.nextInt(model.size());
        final int value = random.nextInt(8) == 0 ? 128 : random.nextInt(60);
        bounds.set(at, value);
        model.set(at, value);
      }
      final int from = random.nextInt(model.size() + 10);
      final int length = random.nextInt(1, 129);
      int expected = -1;
      for (int i = from; i < model.size() && expected < 0; i++) {
        expected = model.get(i) >= length ? i : -1;
      }
      assertThat(bounds.next(from, length)).as(where).isEqualTo(expected);
      assertThat(bounds.any(length))
          .as(where)
          .isEqualTo(model.stream().anyMatch(value -> value >= length));
      assertThat(bounds.count()).isEqualTo(model.size());
    }
    for (int i = 0; i < model.size(); i++) {
      assertThat(bounds.get(i)).isEqualTo(model.get(i));
    }
  }
}
